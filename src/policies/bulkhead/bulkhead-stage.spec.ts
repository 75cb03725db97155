import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { StreamResult } from '../../common/outcomes/stream-result.js';
import { OptionsReader, Problems } from '../../common/options-reader.js';
import type { Call } from '../../pipeline/call.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import { Sleeper } from '../../pipeline/sleeper.js';
import { Stage } from '../../pipeline/stage.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall, type Work } from '../../../test/support/test-call.js';
import { type Deferred, deferred, outcome, settle } from '../../../test/support/wait.js';
import { constant } from '../backoff/backoff.js';
import type { PolicySite } from '../policy.js';
import { type RetryOptions, settleRetry } from '../retry/options.js';
import { RetryStage } from '../retry/retry-stage.js';
import { TimeoutStage } from '../timeout/timeout-stage.js';
import { BulkheadFullError } from './bulkhead-full-error.js';
import { Bulkhead } from './bulkhead.js';
import { BulkheadStage } from './bulkhead-stage.js';

/** Does something at the moment at which a call has left what is inside of it. */
class OnExit extends Stage {
  constructor(private readonly act: (call: Call) => void) {
    super();
  }

  override exit(call: Call): void {
    this.act(call);
  }
}

interface Given {
  readonly maxConcurrent?: number;
  readonly maxQueue?: number;
  readonly maxWait?: number;
  /** Stages outside of the bulkhead. */
  readonly around?: (bench: Bench) => Stage[];
}

/** A call that has begun. */
interface Begun {
  readonly call: TestCall;
  readonly end: Promise<{ value?: unknown; error?: unknown }>;
  /** The attempts whose work has begun, each with what ends it. */
  readonly works: Deferred<unknown>[];
}

/** A bulkhead in a pipeline, and a clock that only the test moves. */
class Bench {
  readonly clock = new ManualClock();
  readonly events = new ResilienceEvents();
  readonly told: ResilienceEvent[] = [];
  readonly bulkhead: Bulkhead;
  /** The names of the calls whose work has begun, in that order. */
  readonly started: string[] = [];
  private readonly pipeline: Pipeline;
  private readonly sleeper = new Sleeper(this.clock);

  constructor({ maxConcurrent = 1, maxQueue = 0, maxWait, around = () => [] }: Given = {}) {
    const { clock, events } = this;
    const settings = { name: undefined, maxConcurrent, maxQueue, maxWait };
    this.bulkhead = new Bulkhead('storagesvc', settings, { clock, events });
    this.pipeline = this.pipelineOf([...around(this), new BulkheadStage(this.bulkhead, { clock })]);
  }

  pipelineOf(stages: readonly Stage[]): Pipeline {
    return new Pipeline('Books.list', stages, this.events);
  }

  listen(): this {
    this.events.subscribe((event) => void this.told.push(event));
    return this;
  }

  timeout(scope: 'attempt' | 'total', ms: number): Stage {
    return new TimeoutStage(scope, ms, this.site);
  }

  retry(options: RetryOptions): Stage {
    return new RetryStage(
      settleRetry(new OptionsReader(options, 'here', new Problems())),
      this.site,
    );
  }

  private get site(): PolicySite {
    const { clock, events, sleeper } = this;
    const site: Partial<PolicySite> = {
      name: 'Books.list',
      clock,
      events,
      sleeper,
      random: () => 0.5,
      onClose: () => {},
    };
    return site as PolicySite;
  }

  call(work: Work, { interruptible = false } = {}): TestCall {
    return new TestCall(work, { clock: this.clock, interruptible });
  }

  run(call: TestCall): Promise<unknown> {
    return this.pipeline.run(call);
  }

  /** Begins a call whose work the test ends, attempt by attempt. */
  begin(name: string, { interruptible = false } = {}): Begun {
    const works: Deferred<unknown>[] = [];
    const work: Work = () => {
      this.started.push(name);
      const each = deferred<unknown>();
      works.push(each);
      return each.promise;
    };
    const call = this.call(work, { interruptible });
    return { call, works, end: outcome(this.run(call)) };
  }

  get counts(): [running: number, waiting: number] {
    const { running, waiting } = this.bulkhead.snapshot();
    return [running, waiting];
  }
}

const down = new Error('down');

const works: [string, () => unknown][] = [
  ['returns a value', () => 'books'],
  [
    'throws',
    () => {
      throw down;
    },
  ],
  ['returns a promise', () => Promise.resolve('books')],
  ['returns a promise that rejects', () => Promise.reject(down)],
];

/** The pipeline takes calls through by other ways when somebody listens, or may stop them. */
const ways: [string, (bench: Bench, work: Work) => TestCall][] = [
  ['plainly', (bench, work) => bench.call(work)],
  ['with a listener', (bench, work) => bench.listen().call(work)],
  ['interruptibly', (bench, work) => bench.call(work, { interruptible: true })],
];

describe('a call in a bulkhead', () => {
  describe.each(ways)('%s', (_way, callOf) => {
    it.each(works)('has a place while it works, and gives it back: %s', async (_how, work) => {
      const bench = new Bench();
      const seen: unknown[] = [];
      const call = callOf(bench, () => {
        seen.push(...bench.counts);
        return work();
      });
      const { value, error } = await outcome(bench.run(call));
      expect(value === 'books' || error === down).toBe(true);
      expect(seen).toEqual([1, 0]);
      expect(bench.counts).toEqual([0, 0]);
    });

    it.each(works)('has one after it has waited, too: %s', async (_how, work) => {
      const bench = new Bench({ maxQueue: 1 });
      const before = bench.begin('before');
      const seen: unknown[] = [];
      const call = callOf(bench, () => {
        seen.push(...bench.counts);
        return work();
      });
      const end = outcome(bench.run(call));
      await settle();
      expect(bench.counts).toEqual([1, 1]);
      before.works[0]!.resolve('x');
      const { value, error } = await end;
      expect(value === 'books' || error === down).toBe(true);
      expect(seen).toEqual([1, 0]);
      expect(bench.counts).toEqual([0, 0]);
    });

    it('is turned away at once when it is full, and does not run', async () => {
      const bench = new Bench();
      bench.begin('before');
      const work = jest.fn();
      const { error } = await outcome(bench.run(callOf(bench, work)));
      expect(error).toBeInstanceOf(BulkheadFullError);
      expect(error).toMatchObject({ reason: 'full', policyName: 'storagesvc' });
      expect(work).not.toHaveBeenCalled();
      expect(bench.counts).toEqual([1, 0]);
    });

    it('is turned away when it has waited for too long, and does not run', async () => {
      const bench = new Bench({ maxQueue: 1, maxWait: 100 });
      const before = bench.begin('before');
      const work = jest.fn();
      const end = outcome(bench.run(callOf(bench, work)));
      await bench.clock.advance(99);
      expect(bench.counts).toEqual([1, 1]);
      await bench.clock.advance(1);
      expect((await end).error).toMatchObject({ code: 'BULKHEAD_FULL', reason: 'max-wait' });
      expect(bench.counts).toEqual([1, 0]);
      before.works[0]!.resolve('x');
      await settle();
      expect(work).not.toHaveBeenCalled();
      expect(bench.counts).toEqual([0, 0]);
    });

    it('is turned away when it waits and the application closes', async () => {
      const bench = new Bench({ maxQueue: 1 });
      bench.begin('before');
      const work = jest.fn();
      const end = outcome(bench.run(callOf(bench, work)));
      bench.bulkhead.close();
      expect((await end).error).toMatchObject({ code: 'BULKHEAD_FULL', reason: 'closing' });
      expect(work).not.toHaveBeenCalled();
      expect(bench.counts).toEqual([1, 0]);
    });

    it('waits its turn', async () => {
      const bench = new Bench({ maxQueue: 3 });
      const first = bench.begin('first');
      const seen: string[] = [];
      const ends = ['a', 'b', 'c'].map((name) =>
        outcome(bench.run(callOf(bench, () => seen.push(name)))),
      );
      await settle();
      expect(seen).toEqual([]);
      first.works[0]!.resolve('x');
      await Promise.all(ends);
      expect(seen).toEqual(['a', 'b', 'c']);
    });

    it('runs in its own async context, whoever has made way for it', async () => {
      const user = new AsyncLocalStorage<string>();
      const bench = new Bench({ maxQueue: 1, around: () => [new OnExit(look)] });
      const seen: unknown[] = [];
      function look(): void {
        seen.push(user.getStore());
      }
      const gate = deferred();
      const anna = user.run('anna', () => bench.run(callOf(bench, () => gate.promise)));
      const bob = user.run('bob', () => bench.run(callOf(bench, look)));
      user.run('carl', () => gate.resolve());
      await Promise.all([anna, bob]);
      expect(seen).toEqual(['anna', 'bob', 'bob']);
    });
  });

  it('that is turned away leaves the stages around it as any other', async () => {
    const exit = jest.fn();
    const bench = new Bench({ around: () => [new OnExit(exit)] });
    bench.begin('before');
    await outcome(bench.run(bench.call(() => 1)));
    expect(exit).toHaveBeenCalledTimes(1);
  });

  it('holds its place from when it has got it, not from when it came', async () => {
    const bench = new Bench({ maxQueue: 1 });
    const first = bench.begin('first');
    const second = bench.begin('second');
    await bench.clock.advance(1_000);
    first.works[0]!.resolve('x');
    await bench.clock.advance(1_000);
    second.works[0]!.reject(down);
    await settle();
    bench.begin('third');
    bench.begin('fourth');
    const { error } = await bench.begin('fifth').end;
    expect(error).toMatchObject({ retryAfterMs: 2_000 });
  });

  it('tells how long it waited', async () => {
    const bench = new Bench({ maxQueue: 1 }).listen();
    const first = bench.begin('first');
    bench.begin('second');
    await bench.clock.advance(250);
    first.works[0]!.resolve('x');
    await settle();
    expect(bench.told.filter(({ type }) => type === 'queued')).toEqual([
      { type: 'queued', name: 'storagesvc', waitedMs: 250 },
    ]);
  });

  it('is told of in its own async context, whoever makes way for it or sends it away', async () => {
    const user = new AsyncLocalStorage<string>();
    const bench = new Bench({ maxQueue: 2, maxWait: 100 });
    const seen: unknown[] = [];
    bench.events.subscribe(({ type }) => {
      if (type !== 'attempt') seen.push([type, user.getStore()]);
    });
    const first = user.run('anna', () => bench.begin('first'));
    user.run('bob', () => bench.begin('second'));
    user.run('carl', () => first.works[0]!.resolve('x'));
    await settle();
    user.run('dora', () => bench.begin('third'));
    await user.run('whoever moves the clock', () => bench.clock.advance(100));
    user.run('emil', () => bench.begin('fourth'));
    user.run('whoever closes', () => bench.bulkhead.close());
    user.run('fred', () => bench.begin('fifth'));
    await settle();
    expect(seen).toEqual([
      ['queued', 'bob'],
      ['rejected', 'dora'],
      ['rejected', 'emil'],
      ['rejected', 'fred'],
    ]);
  });

  it('does not tell its wait as time of its work', async () => {
    const bench = new Bench({ maxQueue: 1 }).listen();
    const first = bench.begin('first');
    const second = bench.begin('second');
    await bench.clock.advance(250);
    first.works[0]!.resolve('x');
    await bench.clock.advance(100);
    second.works[0]!.resolve('x');
    await settle();
    expect(bench.told.filter(({ type }) => type === 'attempt')).toMatchObject([
      { durationMs: 250 },
      { durationMs: 100 },
    ]);
  });
});

describe('a place that comes free', () => {
  it('goes to who waits, not to a newcomer at that very moment', async () => {
    const newcomers: Begun[] = [];
    const bench = new Bench({
      maxQueue: 1,
      around: () => [
        new OnExit(() => {
          // `first` has given its place back, and `second` has not been told yet
          if (newcomers.length < 2) newcomers.push(bench.begin(`newcomer ${newcomers.length}`));
        }),
      ],
    });
    const first = bench.begin('first');
    const second = bench.begin('second');
    first.works[0]!.resolve('x');
    await first.end;
    await settle();
    expect(bench.started).toEqual(['first', 'second']);
    expect(bench.counts).toEqual([1, 1]);
    second.works[0]!.resolve('x');
    await second.end;
    await settle();
    expect(bench.started).toEqual(['first', 'second', 'newcomer 0']);
  });

  /** Where `name` is, the first of the `before` who waited. */
  const whereIs = (name: string, bench: Bench, before: number): string => {
    if (bench.started.includes(name)) return 'works';
    return bench.counts[1] < before ? 'has a place' : 'waits';
  };

  it('goes to who waits, not to a newcomer, at whatever moment that comes', async () => {
    const seen: string[] = [];
    for (let turns = 0; turns < 8; turns++) {
      const bench = new Bench({ maxQueue: 2 });
      const first = bench.begin('first');
      bench.begin('second');
      first.works[0]!.resolve('x');
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      seen.push(whereIs('second', bench, 1));
      bench.begin('newcomer');
      await settle();
      expect(bench.started).toEqual(['first', 'second']);
    }
    expect([...new Set(seen)]).toEqual(['waits', 'has a place', 'works']);
  });

  it('goes on to the next when who has got it is stopped, at whatever moment', async () => {
    const seen: string[] = [];
    for (let turns = 0; turns < 8; turns++) {
      const bench = new Bench({ maxQueue: 2 });
      const gone = new Error('gone');
      const first = bench.begin('first');
      const second = bench.begin('second', { interruptible: true });
      const third = bench.begin('third');
      first.works[0]!.resolve('x');
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const where = whereIs('second', bench, 2);
      seen.push(where);
      second.call.abort(gone);
      expect((await second.end).error).toBe(gone);
      await settle();
      const worked = where === 'works';
      expect(bench.started).toEqual(worked ? ['first', 'second'] : ['first', 'third']);
      expect(bench.counts).toEqual(worked ? [1, 1] : [1, 0]);
      second.works[0]?.resolve('late');
      await settle();
      third.works[0]!.resolve('x');
      await third.end;
      expect(bench.counts).toEqual([0, 0]);
    }
    expect([...new Set(seen)]).toEqual(['waits', 'has a place', 'works']);
  });
});

describe('a call that is stopped while it waits', () => {
  it('by its caller leaves the queue at once, makes room there, and never runs', async () => {
    const bench = new Bench({ maxQueue: 1 });
    const gone = new Error('gone');
    const first = bench.begin('first');
    const second = bench.begin('second', { interruptible: true });
    await settle();
    second.call.abort(gone);
    expect((await second.end).error).toBe(gone);
    expect(bench.counts).toEqual([1, 0]);
    bench.begin('third');
    first.works[0]!.resolve('x');
    await settle();
    expect(bench.started).toEqual(['first', 'third']);
    expect(bench.bulkhead.snapshot().rejected).toBe(0);
  });

  it.each(['attempt', 'total'] as const)(
    'by the %s timeout leaves the queue on time, makes room there, and never runs',
    async (scope) => {
      const bench = new Bench({ maxQueue: 1, around: (own) => [own.timeout(scope, 100)] });
      const first = bench.begin('first');
      await bench.clock.advance(50);
      const second = bench.begin('second');
      await bench.clock.advance(99);
      expect(bench.counts).toEqual([1, 1]);
      await bench.clock.advance(1);
      expect((await second.end).error).toMatchObject({ code: 'TIMEOUT', scope });
      expect(bench.counts).toEqual([1, 0]);
      bench.begin('third');
      first.works[0]!.resolve('x');
      await settle();
      expect(bench.started).toEqual(['first', 'third']);
    },
  );

  it('before it comes never enters', async () => {
    const bench = new Bench();
    const call = bench.call(() => 1, { interruptible: true });
    call.abort(down);
    await expect(bench.run(call)).rejects.toBe(down);
    expect(bench.counts).toEqual([0, 0]);
  });

  it('goes by its own time when that is shorter than maxWait', async () => {
    const bench = new Bench({
      maxQueue: 1,
      maxWait: 200,
      around: (own) => [own.timeout('attempt', 100)],
    });
    bench.begin('first');
    const second = bench.begin('second');
    await bench.clock.advance(1_000);
    expect((await second.end).error).toMatchObject({ code: 'TIMEOUT' });
    expect(bench.bulkhead.snapshot()).toMatchObject({ waiting: 0, rejected: 0 });
  });

  it('goes by maxWait when that is shorter than its own time', async () => {
    const bench = new Bench({
      maxQueue: 1,
      maxWait: 100,
      around: (own) => [own.timeout('attempt', 200)],
    });
    bench.begin('first');
    const second = bench.begin('second');
    await bench.clock.advance(1_000);
    expect((await second.end).error).toMatchObject({ reason: 'max-wait' });
    expect(bench.counts).toEqual([1, 0]);
  });
});

describe('a call that is stopped while it works', () => {
  it.each([
    ['succeeds', (work: Deferred<unknown>) => work.resolve('late')],
    ['fails', (work: Deferred<unknown>) => work.reject(new Error('late'))],
  ])('by a timeout keeps its place until its work %s', async (_how, endLate) => {
    const bench = new Bench({ maxQueue: 1, around: (own) => [own.timeout('attempt', 100)] });
    const first = bench.begin('first');
    await bench.clock.advance(100);
    expect((await first.end).error).toMatchObject({ code: 'TIMEOUT' });
    expect(bench.counts).toEqual([1, 0]);
    await bench.clock.advance(900);
    bench.begin('second');
    expect(bench.started).toEqual(['first']);
    endLate(first.works[0]!);
    await settle();
    expect(bench.started).toEqual(['first', 'second']);
    expect(bench.counts).toEqual([1, 0]);
  });

  it('by its caller keeps its place until its work has ended', async () => {
    const bench = new Bench();
    const first = bench.begin('first', { interruptible: true });
    first.call.abort(down);
    expect((await first.end).error).toBe(down);
    expect((await bench.begin('second').end).error).toBeInstanceOf(BulkheadFullError);
    first.works[0]!.resolve('late');
    await settle();
    expect(bench.counts).toEqual([0, 0]);
  });

  it('after it has waited keeps its place until its work has ended', async () => {
    const bench = new Bench({ maxQueue: 1 });
    const first = bench.begin('first');
    const second = bench.begin('second', { interruptible: true });
    first.works[0]!.resolve('x');
    await settle();
    second.call.abort(down);
    await second.end;
    expect(bench.counts).toEqual([1, 0]);
    second.works[0]!.reject(new Error('late'));
    await settle();
    expect(bench.counts).toEqual([0, 0]);
  });

  it('holds its place as long as its work takes, for the mean too', async () => {
    const lookAtTheTime = new OnExit((call) => call.now());
    const bench = new Bench({ around: (own) => [lookAtTheTime, own.timeout('attempt', 100)] });
    const first = bench.begin('first');
    await bench.clock.advance(700);
    first.works[0]!.resolve('late');
    await settle();
    bench.begin('second');
    expect((await bench.begin('third').end).error).toMatchObject({ retryAfterMs: 700 });
  });

  it('has no place to keep when its work ends at once', async () => {
    const bench = new Bench();
    const call = bench.call((own) => own.abort(down), { interruptible: true });
    await expect(bench.run(call)).rejects.toBe(down);
    await settle();
    expect(bench.counts).toEqual([0, 0]);
  });

  it('gives its place back when the work ends because of it', async () => {
    const bench = new Bench({ around: (own) => [own.timeout('attempt', 100)] });
    const call = bench.call(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    const end = outcome(bench.run(call));
    await bench.clock.advance(100);
    expect((await end).error).toMatchObject({ code: 'TIMEOUT' });
    expect(bench.counts).toEqual([0, 0]);
  });

  // MicroProfile Fault Tolerance TCK, TimeoutUninterruptableTest
  it('is in the way of others though it cannot be interrupted: one place, one in the queue', async () => {
    const bench = new Bench({ maxQueue: 1, around: (own) => [own.timeout('attempt', 500)] });
    const a = bench.begin('A');
    const b = bench.begin('B');
    await bench.clock.advance(500);
    expect((await a.end).error).toMatchObject({ code: 'TIMEOUT' });
    expect((await b.end).error).toMatchObject({ code: 'TIMEOUT' });
    const c = bench.begin('C'); // B has left the queue, A works on
    await settle();
    expect(bench.counts).toEqual([1, 1]);
    expect((await bench.begin('D').end).error).toMatchObject({ reason: 'full' });
    await bench.clock.advance(100);
    a.works[0]!.resolve('late');
    await settle();
    c.works[0]!.resolve('books');
    expect((await c.end).value).toBe('books');
    expect(bench.started).toEqual(['A', 'C']);
    expect(bench.counts).toEqual([0, 0]);
  });
});

describe('a call that is retried', () => {
  const again = { maxRetries: 2, backoff: constant(100) };

  it('has no place while it waits for its next attempt', async () => {
    const bench = new Bench({ around: (own) => [own.retry(again)] });
    const first = bench.begin('first');
    first.works[0]!.reject(down);
    await settle();
    expect(bench.counts).toEqual([0, 0]);
    const second = bench.begin('second');
    second.works[0]!.resolve('x');
    await second.end;
    await bench.clock.advance(100);
    expect(bench.started).toEqual(['first', 'second', 'first']);
    expect(bench.counts).toEqual([1, 0]);
    first.works[1]!.resolve('books');
    expect((await first.end).value).toBe('books');
    expect(bench.counts).toEqual([0, 0]);
  });

  it('waits for a place in each attempt, last in the queue', async () => {
    const bench = new Bench({ maxQueue: 2, around: (own) => [own.retry(again)] });
    const first = bench.begin('first');
    first.works[0]!.reject(down);
    await settle();
    const second = bench.begin('second');
    const third = bench.begin('third');
    await bench.clock.advance(100);
    expect(bench.counts).toEqual([1, 2]);
    for (const { works: each } of [second, third]) {
      each[0]!.resolve('x');
      await settle();
    }
    expect(bench.started).toEqual(['first', 'second', 'third', 'first']);
  });

  it('is not retried because it found no place, nor because it waited in vain', async () => {
    const bench = new Bench({
      maxQueue: 1,
      maxWait: 50,
      around: (own) => [own.retry({ ...again, maxRetries: 9 })],
    });
    bench.begin('first');
    const second = bench.begin('second');
    expect((await bench.begin('third').end).error).toMatchObject({ reason: 'full' });
    await bench.clock.advance(10_000);
    expect((await second.end).error).toMatchObject({ reason: 'max-wait' });
    expect(second.call.attempt).toBe(1);
  });

  it('is retried for want of a place when it is told to, no sooner than there may be one', async () => {
    const bench = new Bench({
      around: (own) => [own.retry({ ...again, on: [BulkheadFullError] })],
    });
    const first = bench.begin('first');
    const second = bench.begin('second');
    await bench.clock.advance(999); // a second: nothing is known yet
    first.works[0]!.resolve('x');
    await settle();
    expect(second.call.attempt).toBe(1);
    await bench.clock.advance(1);
    expect(bench.started).toEqual(['first', 'second']);
  });

  it('waits for its own work that it has given up, as for that of others', async () => {
    const bench = new Bench({
      maxQueue: 1,
      around: (own) => [own.retry({ ...again, backoff: constant(0) }), own.timeout('attempt', 100)],
    });
    const { works: attempts, end } = bench.begin('first');
    await bench.clock.advance(150);
    expect(attempts).toHaveLength(1);
    expect(bench.counts).toEqual([1, 1]);
    attempts[0]!.resolve('late');
    await settle();
    expect(attempts).toHaveLength(2);
    attempts[1]!.resolve('books');
    expect((await end).value).toBe('books');
    expect(bench.counts).toEqual([0, 0]);
  });

  it('does not take an attempt that ended well for one that was given up', async () => {
    const bench = new Bench({
      maxConcurrent: 2,
      around: (own) => [own.retry({ ...again, backoff: constant(0) }), own.timeout('attempt', 100)],
    });
    const { works: attempts, end } = bench.begin('first');
    await bench.clock.advance(100);
    attempts[1]!.resolve('books');
    await end;
    expect(bench.counts).toEqual([1, 0]); // that of the first attempt
    attempts[0]!.resolve('late');
    await settle();
    expect(bench.counts).toEqual([0, 0]);
  });

  it('gives up for good while it waits for a place in a later attempt, and leaves the queue', async () => {
    const bench = new Bench({
      maxQueue: 1,
      around: (own) => [own.timeout('total', 150), own.retry(again)],
    });
    const first = bench.begin('first');
    first.works[0]!.reject(down);
    await settle();
    bench.begin('second');
    await bench.clock.advance(100);
    expect(bench.counts).toEqual([1, 1]);
    await bench.clock.advance(50);
    expect((await first.end).error).toMatchObject({ scope: 'total' });
    expect(bench.counts).toEqual([1, 0]);
  });
});

describe('a bulkhead outside of a retry, as an order of its own may have it', () => {
  const around = (own: Bench): Stage[] => [
    new BulkheadStage(own.bulkhead, own),
    own.retry({ maxRetries: 1, backoff: constant(100) }),
    own.timeout('attempt', 100),
  ];

  function bench(): Bench & { go: (work: Work) => Promise<{ value?: unknown; error?: unknown }> } {
    const made = new Bench();
    const pipeline = made.pipelineOf(around(made));
    return Object.assign(made, {
      go: (work: Work) => outcome(pipeline.run(made.call(work))),
    });
  }

  it('holds one place for all attempts and the waits between them', async () => {
    const own = bench();
    const end = own.go(({ attempt }) => (attempt === 1 ? Promise.reject(down) : 'books'));
    await settle();
    expect(own.counts).toEqual([1, 0]);
    await own.clock.advance(100);
    expect((await end).value).toBe('books');
    expect(own.counts).toEqual([0, 0]);
  });

  it('holds it until the last attempt has really ended', async () => {
    const own = bench();
    const late = deferred();
    const end = own.go(({ attempt }) => (attempt === 1 ? Promise.reject(down) : late.promise));
    await own.clock.advance(200);
    expect((await end).error).toMatchObject({ code: 'TIMEOUT' });
    expect(own.counts).toEqual([1, 0]);
    late.resolve();
    await settle();
    expect(own.counts).toEqual([0, 0]);
  });

  // A retry inside of the bulkhead makes the call forget what an earlier attempt has left behind.
  it('holds it until every attempt has really ended', async () => {
    const own = bench();
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

describe('a call that ends before the method inside of it, as behind an impatient interceptor', () => {
  it.each<[string, (work: Deferred<unknown>) => void]>([
    ['succeeds', (work) => work.resolve('late')],
    ['fails', (work) => work.reject(new Error('late'))],
  ])('keeps its place until that %s', async (_how, endLate) => {
    const bench = new Bench();
    const method = deferred<unknown>();
    const call = bench.call((own) => {
      own.track(method.promise);
      throw down;
    });
    expect((await outcome(bench.run(call))).error).toBe(down);
    await settle();
    expect(bench.counts).toEqual([1, 0]);
    endLate(method);
    await settle();
    expect(bench.counts).toEqual([0, 0]);
  });

  // `Call.runningWork` is still that of the first attempt.
  it('waits for it no more in a later attempt: one that is given up in the queue leaves it', async () => {
    const bench = new Bench({
      maxQueue: 1,
      around: (own) => [
        own.retry({ maxRetries: 1, backoff: constant(0) }),
        own.timeout('attempt', 100),
      ],
    });
    const method = deferred<unknown>();
    const call = bench.call((own) => {
      own.track(method.promise);
      return method.promise;
    });
    const end = outcome(bench.run(call));
    await bench.clock.advance(100);
    expect(bench.counts).toEqual([1, 1]);
    await bench.clock.advance(100);
    expect((await end).error).toMatchObject({ code: 'TIMEOUT' });
    expect(bench.counts).toEqual([1, 0]);
    method.resolve('late');
    await settle();
    expect(bench.counts).toEqual([0, 0]);
  });
});

describe('a call whose result goes on', () => {
  class Stream extends StreamResult {}

  it.each(ways)('keeps its place until that is over (%s)', async (_way, callOf) => {
    const bench = new Bench({ maxQueue: 1 });
    const stream = new Stream();
    const call = callOf(bench, () => stream);
    await expect(bench.run(call)).resolves.toBe(stream);
    await settle();
    expect(bench.counts).toEqual([1, 0]);
    bench.begin('second');
    await bench.clock.advance(300);
    expect(bench.started).toEqual([]);
    call.finish();
    await settle();
    expect(bench.started).toEqual(['second']);
    expect(bench.counts).toEqual([1, 0]);
  });

  it('gives it back once', async () => {
    const bench = new Bench({ maxConcurrent: 2 });
    const call = bench.call(() => new Stream());
    bench.begin('other');
    await bench.run(call);
    call.finish();
    call.finish();
    expect(bench.counts).toEqual([1, 0]);
  });

  it('holds it as long as the result takes, for the mean too', async () => {
    const bench = new Bench({ around: () => [new OnExit((call) => call.now())] });
    const call = bench.call(() => new Stream());
    await bench.run(call);
    await bench.clock.advance(700);
    call.finish();
    bench.begin('second');
    expect((await bench.begin('third').end).error).toMatchObject({ retryAfterMs: 700 });
  });

  it('gives it back when it is stopped as the result comes', async () => {
    const bench = new Bench();
    const call = bench.call(
      (own) => {
        own.abort(down);
        return Promise.resolve(new Stream());
      },
      { interruptible: true },
    );
    await expect(bench.run(call)).rejects.toBe(down);
    await settle();
    expect(bench.counts).toEqual([0, 0]);
  });
});

describe('a call that finds a place', () => {
  /** How many promises it takes to run a call. */
  async function promisesOf(run: () => Promise<unknown>): Promise<number> {
    let made = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'PROMISE') made += 1;
      },
    });
    hook.enable();
    try {
      await run();
    } finally {
      hook.disable();
    }
    return made;
  }

  it.each(ways)('makes no timer and no promise for that (%s)', async (_way, callOf) => {
    const bench = new Bench({ maxQueue: 1, maxWait: 100 });
    const bare = bench.pipelineOf([]);
    const setTimer = jest.spyOn(bench.clock, 'setTimer');
    const calls = [0, 1, 2].map(() => callOf(bench, () => 'books'));
    await promisesOf(() => bare.run(calls[0]!)); // the first measurement counts what it needs itself
    const expected = await promisesOf(() => bare.run(calls[1]!));
    expect(expected).toBeGreaterThan(0);
    expect(await promisesOf(() => bench.run(calls[2]!))).toBe(expected);
    expect(setTimer).not.toHaveBeenCalled();
  });

  it('makes no AbortController, whether it waits or not, ends well or is given up', async () => {
    const Original = globalThis.AbortController;
    let made = 0;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        made += 1;
      }
    };
    try {
      const bench = new Bench({ maxQueue: 1, around: (own) => [own.timeout('attempt', 100)] });
      const [first, second] = [bench.begin('first'), bench.begin('second')];
      first.works[0]!.resolve('x');
      await bench.clock.advance(100);
      await Promise.all([first.end, second.end]);
      expect(made).toBe(0);
    } finally {
      globalThis.AbortController = Original;
    }
  });
});
