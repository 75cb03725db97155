import { Harness, OnExit, down } from '../../../test/support/bulkhead-stage.js';
import { type Deferred, deferred, outcome, settle } from '../../../test/support/wait.js';
import { constant } from '../backoff/backoff.js';
import { BulkheadFullError } from './bulkhead-full-error.js';

describe('a call that is stopped while it waits', () => {
  it('leaves the queue at once when its caller stops it, makes room there, and never runs', async () => {
    const harness = new Harness({ maxQueue: 1 });
    const gone = new Error('gone');
    const first = harness.begin('first');
    const second = harness.begin('second', { interruptible: true });
    await settle();
    second.call.abort(gone);
    expect((await second.end).error).toBe(gone);
    expect(harness.counts).toEqual([1, 0]);
    harness.begin('third');
    first.works[0]!.resolve('x');
    await settle();
    expect(harness.started).toEqual(['first', 'third']);
    expect(harness.bulkhead.snapshot().rejected).toBe(0);
  });

  it.each(['attempt', 'total'] as const)(
    'leaves the queue on time at the %s timeout, makes room there, and never runs',
    async (scope) => {
      const harness = new Harness({ maxQueue: 1, around: (own) => [own.timeout(scope, 100)] });
      const first = harness.begin('first');
      await harness.clock.advance(50);
      const second = harness.begin('second');
      await harness.clock.advance(99);
      expect(harness.counts).toEqual([1, 1]);
      await harness.clock.advance(1);
      expect((await second.end).error).toMatchObject({ code: 'TIMEOUT', scope });
      expect(harness.counts).toEqual([1, 0]);
      harness.begin('third');
      first.works[0]!.resolve('x');
      await settle();
      expect(harness.started).toEqual(['first', 'third']);
    },
  );

  it('never enters when it is stopped before', async () => {
    const harness = new Harness();
    const call = harness.call(() => 1, { interruptible: true });
    call.abort(down);
    await expect(harness.run(call)).rejects.toBe(down);
    expect(harness.counts).toEqual([0, 0]);
  });

  it('waits for its own time limit when it is shorter than maxWait', async () => {
    const harness = new Harness({
      maxQueue: 1,
      maxWait: 200,
      around: (own) => [own.timeout('attempt', 100)],
    });
    harness.begin('first');
    const second = harness.begin('second');
    await harness.clock.advance(1_000);
    expect((await second.end).error).toMatchObject({ code: 'TIMEOUT' });
    expect(harness.bulkhead.snapshot()).toMatchObject({ waiting: 0, rejected: 0 });
  });

  it('waits for maxWait when it is shorter than its own time limit', async () => {
    const harness = new Harness({
      maxQueue: 1,
      maxWait: 100,
      around: (own) => [own.timeout('attempt', 200)],
    });
    harness.begin('first');
    const second = harness.begin('second');
    await harness.clock.advance(1_000);
    expect((await second.end).error).toMatchObject({ reason: 'max-wait' });
    expect(harness.counts).toEqual([1, 0]);
  });
});

describe('a call that is stopped while it runs', () => {
  it.each([
    ['succeeds', (work: Deferred<unknown>) => work.resolve('late')],
    ['fails', (work: Deferred<unknown>) => work.reject(new Error('late'))],
  ])('keeps its place after a timeout until its work %s', async (_how, endLate) => {
    const harness = new Harness({ maxQueue: 1, around: (own) => [own.timeout('attempt', 100)] });
    const first = harness.begin('first');
    await harness.clock.advance(100);
    expect((await first.end).error).toMatchObject({ code: 'TIMEOUT' });
    expect(harness.counts).toEqual([1, 0]);
    await harness.clock.advance(900);
    harness.begin('second');
    expect(harness.started).toEqual(['first']);
    endLate(first.works[0]!);
    await settle();
    expect(harness.started).toEqual(['first', 'second']);
    expect(harness.counts).toEqual([1, 0]);
  });

  it('keeps its place after its caller has stopped it until its work has ended', async () => {
    const harness = new Harness();
    const first = harness.begin('first', { interruptible: true });
    first.call.abort(down);
    expect((await first.end).error).toBe(down);
    expect((await harness.begin('second').end).error).toBeInstanceOf(BulkheadFullError);
    first.works[0]!.resolve('late');
    await settle();
    expect(harness.counts).toEqual([0, 0]);
  });

  it('keeps its place after a wait until its work has ended', async () => {
    const harness = new Harness({ maxQueue: 1 });
    const first = harness.begin('first');
    const second = harness.begin('second', { interruptible: true });
    first.works[0]!.resolve('x');
    await settle();
    second.call.abort(down);
    await second.end;
    expect(harness.counts).toEqual([1, 0]);
    second.works[0]!.reject(new Error('late'));
    await settle();
    expect(harness.counts).toEqual([0, 0]);
  });

  it('holds its place for the duration of its work, for the mean too', async () => {
    const lookAtTheTime = new OnExit((call) => call.now());
    const harness = new Harness({ around: (own) => [lookAtTheTime, own.timeout('attempt', 100)] });
    const first = harness.begin('first');
    await harness.clock.advance(700);
    first.works[0]!.resolve('late');
    await settle();
    harness.begin('second');
    expect((await harness.begin('third').end).error).toMatchObject({ retryAfterMs: 700 });
  });

  it('has no place to keep when its work ends at once', async () => {
    const harness = new Harness();
    const call = harness.call((own) => own.abort(down), { interruptible: true });
    await expect(harness.run(call)).rejects.toBe(down);
    await settle();
    expect(harness.counts).toEqual([0, 0]);
  });

  it('gives its place back when the work ends because of it', async () => {
    const harness = new Harness({ around: (own) => [own.timeout('attempt', 100)] });
    const call = harness.call(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    const end = outcome(harness.run(call));
    await harness.clock.advance(100);
    expect((await end).error).toMatchObject({ code: 'TIMEOUT' });
    expect(harness.counts).toEqual([0, 0]);
  });

  // MicroProfile Fault Tolerance TCK, TimeoutUninterruptableTest
  it('blocks others even if it cannot be interrupted: one place, one in the queue', async () => {
    const harness = new Harness({ maxQueue: 1, around: (own) => [own.timeout('attempt', 500)] });
    const a = harness.begin('A');
    const b = harness.begin('B');
    await harness.clock.advance(500);
    expect((await a.end).error).toMatchObject({ code: 'TIMEOUT' });
    expect((await b.end).error).toMatchObject({ code: 'TIMEOUT' });
    const c = harness.begin('C'); // B has left the queue, A works on
    await settle();
    expect(harness.counts).toEqual([1, 1]);
    expect((await harness.begin('D').end).error).toMatchObject({ reason: 'full' });
    await harness.clock.advance(100);
    a.works[0]!.resolve('late');
    await settle();
    c.works[0]!.resolve('books');
    expect((await c.end).value).toBe('books');
    expect(harness.started).toEqual(['A', 'C']);
    expect(harness.counts).toEqual([0, 0]);
  });
});

describe('a call that ends before its method, as behind an impatient interceptor', () => {
  it.each<[string, (work: Deferred<unknown>) => void]>([
    ['succeeds', (work) => work.resolve('late')],
    ['fails', (work) => work.reject(new Error('late'))],
  ])('keeps its place until that %s', async (_how, endLate) => {
    const harness = new Harness();
    const method = deferred<unknown>();
    const call = harness.call((own) => {
      own.track(method.promise);
      throw down;
    });
    expect((await outcome(harness.run(call))).error).toBe(down);
    await settle();
    expect(harness.counts).toEqual([1, 0]);
    endLate(method);
    await settle();
    expect(harness.counts).toEqual([0, 0]);
  });

  // `Call.runningWork` is still that of the first attempt.
  it('leaves the queue when a later attempt is abandoned there', async () => {
    const harness = new Harness({
      maxQueue: 1,
      around: (own) => [
        own.retry({ maxRetries: 1, backoff: constant(0) }),
        own.timeout('attempt', 100),
      ],
    });
    const method = deferred<unknown>();
    const call = harness.call((own) => {
      own.track(method.promise);
      return method.promise;
    });
    const end = outcome(harness.run(call));
    await harness.clock.advance(100);
    expect(harness.counts).toEqual([1, 1]);
    await harness.clock.advance(100);
    expect((await end).error).toMatchObject({ code: 'TIMEOUT' });
    expect(harness.counts).toEqual([1, 0]);
    method.resolve('late');
    await settle();
    expect(harness.counts).toEqual([0, 0]);
  });
});
