import { type Stage } from '../../pipeline/stage.js';
import { Harness, down } from '../../../test/support/bulkhead-stage.js';
import type { Work } from '../../../test/support/test-call.js';
import { deferred, outcome, settle } from '../../../test/support/wait.js';
import { constant } from '../backoff/backoff.js';
import { BulkheadFullError } from './bulkhead-full-error.js';
import { BulkheadStage } from './bulkhead-stage.js';

describe('a call that is retried', () => {
  const again = { maxRetries: 2, backoff: constant(100) };

  it('holds no place while it waits for its next attempt', async () => {
    const harness = new Harness({ around: (own) => [own.retry(again)] });
    const first = harness.begin('first');
    first.works[0]!.reject(down);
    await settle();
    expect(harness.counts).toEqual([0, 0]);
    const second = harness.begin('second');
    second.works[0]!.resolve('x');
    await second.end;
    await harness.clock.advance(100);
    expect(harness.started).toEqual(['first', 'second', 'first']);
    expect(harness.counts).toEqual([1, 0]);
    first.works[1]!.resolve('books');
    expect((await first.end).value).toBe('books');
    expect(harness.counts).toEqual([0, 0]);
  });

  it('waits for a place in each attempt, last in the queue', async () => {
    const harness = new Harness({ maxQueue: 2, around: (own) => [own.retry(again)] });
    const first = harness.begin('first');
    first.works[0]!.reject(down);
    await settle();
    const second = harness.begin('second');
    const third = harness.begin('third');
    await harness.clock.advance(100);
    expect(harness.counts).toEqual([1, 2]);
    for (const { works: each } of [second, third]) {
      each[0]!.resolve('x');
      await settle();
    }
    expect(harness.started).toEqual(['first', 'second', 'third', 'first']);
  });

  it('is not retried when it found no place or waited in vain', async () => {
    const harness = new Harness({
      maxQueue: 1,
      maxWait: 50,
      around: (own) => [own.retry({ ...again, maxRetries: 9 })],
    });
    harness.begin('first');
    const second = harness.begin('second');
    expect((await harness.begin('third').end).error).toMatchObject({ reason: 'full' });
    await harness.clock.advance(10_000);
    expect((await second.end).error).toMatchObject({ reason: 'max-wait' });
    expect(second.call.attempt).toBe(1);
  });

  it('is retried for lack of a place if so configured, but not before one may be free', async () => {
    const harness = new Harness({
      around: (own) => [own.retry({ ...again, on: [BulkheadFullError] })],
    });
    const first = harness.begin('first');
    const second = harness.begin('second');
    await harness.clock.advance(999); // a second: nothing is known yet
    first.works[0]!.resolve('x');
    await settle();
    expect(second.call.attempt).toBe(1);
    await harness.clock.advance(1);
    expect(harness.started).toEqual(['first', 'second']);
  });

  it('waits for its own abandoned work as for that of other calls', async () => {
    const harness = new Harness({
      maxQueue: 1,
      around: (own) => [own.retry({ ...again, backoff: constant(0) }), own.timeout('attempt', 100)],
    });
    const { works: attempts, end } = harness.begin('first');
    await harness.clock.advance(150);
    expect(attempts).toHaveLength(1);
    expect(harness.counts).toEqual([1, 1]);
    attempts[0]!.resolve('late');
    await settle();
    expect(attempts).toHaveLength(2);
    attempts[1]!.resolve('books');
    expect((await end).value).toBe('books');
    expect(harness.counts).toEqual([0, 0]);
  });

  it('does not take an attempt that succeeded for an abandoned one', async () => {
    const harness = new Harness({
      maxConcurrent: 2,
      around: (own) => [own.retry({ ...again, backoff: constant(0) }), own.timeout('attempt', 100)],
    });
    const { works: attempts, end } = harness.begin('first');
    await harness.clock.advance(100);
    attempts[1]!.resolve('books');
    await end;
    expect(harness.counts).toEqual([1, 0]); // that of the first attempt
    attempts[0]!.resolve('late');
    await settle();
    expect(harness.counts).toEqual([0, 0]);
  });

  it('leaves the queue when it is abandoned while it waits in a later attempt', async () => {
    const harness = new Harness({
      maxQueue: 1,
      around: (own) => [own.timeout('total', 150), own.retry(again)],
    });
    const first = harness.begin('first');
    first.works[0]!.reject(down);
    await settle();
    harness.begin('second');
    await harness.clock.advance(100);
    expect(harness.counts).toEqual([1, 1]);
    await harness.clock.advance(50);
    expect((await first.end).error).toMatchObject({ scope: 'total' });
    expect(harness.counts).toEqual([1, 0]);
  });
});

describe('a bulkhead outside a retry, in a custom order', () => {
  const around = (own: Harness): Stage[] => [
    new BulkheadStage(own.bulkhead, own),
    own.retry({ maxRetries: 1, backoff: constant(100) }),
    own.timeout('attempt', 100),
  ];

  function harness(): Harness & {
    go: (work: Work) => Promise<{ value?: unknown; error?: unknown }>;
  } {
    const made = new Harness();
    const pipeline = made.pipelineOf(around(made));
    return Object.assign(made, {
      go: (work: Work) => outcome(pipeline.run(made.call(work))),
    });
  }

  it('holds one place for all attempts and the waits between them', async () => {
    const own = harness();
    const end = own.go(({ attempt }) => (attempt === 1 ? Promise.reject(down) : 'books'));
    await settle();
    expect(own.counts).toEqual([1, 0]);
    await own.clock.advance(100);
    expect((await end).value).toBe('books');
    expect(own.counts).toEqual([0, 0]);
  });

  it('holds it until the last attempt has really ended', async () => {
    const own = harness();
    const late = deferred();
    const end = own.go(({ attempt }) => (attempt === 1 ? Promise.reject(down) : late.promise));
    await own.clock.advance(200);
    expect((await end).error).toMatchObject({ code: 'TIMEOUT' });
    expect(own.counts).toEqual([1, 0]);
    late.resolve();
    await settle();
    expect(own.counts).toEqual([0, 0]);
  });

  // A retry inside the bulkhead makes the call forget what an earlier attempt has left behind.
  it('holds it until every attempt has really ended', async () => {
    const own = harness();
    const late = deferred();
    const end = own.go(({ attempt }) => (attempt === 1 ? late.promise : 'books'));
    await own.clock.advance(200);
    expect((await end).value).toBe('books');
    expect(own.counts).toEqual([1, 0]);
    late.resolve();
    await settle();
    expect(own.counts).toEqual([0, 0]);
  });
});
