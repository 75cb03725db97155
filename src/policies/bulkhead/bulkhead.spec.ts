import { isResilienceError } from '../../common/errors.js';
import { retryAfterOf } from '../../common/outcomes/retry-after.js';
import { defaultOutcome } from '../../common/outcomes/default-outcome.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { settle } from '../../../test/support/wait.js';
import { BulkheadFullError } from './bulkhead-full-error.js';
import { Bulkhead, type Place, Waiter } from './bulkhead.js';

interface Given {
  readonly maxConcurrent?: number;
  readonly maxQueue?: number;
  readonly maxWait?: number;
}

/** A bulkhead, a clock that only the test moves, and what becomes of those who wait. */
class Bench {
  readonly clock = new ManualClock();
  readonly events = new ResilienceEvents();
  readonly told: ResilienceEvent[] = [];
  readonly bulkhead: Bulkhead;
  /** Who has been told of a place, or that there will be none, in that order. */
  readonly log: string[] = [];

  constructor({ maxConcurrent = 1, maxQueue = 0, maxWait }: Given = {}) {
    const { clock, events } = this;
    const settings = { name: undefined, maxConcurrent, maxQueue, maxWait };
    this.bulkhead = new Bulkhead('storagesvc', settings, { clock, events });
    events.subscribe((event) => void this.told.push(event));
  }

  take(): Place {
    return this.bulkhead.take(this.clock.now());
  }

  /** Takes one in the queue. */
  wait(name: string): Waiter {
    const place = this.take();
    if (!(place instanceof Waiter)) throw new Error(`${name} has got a place`);
    place.ready.then(
      () => this.log.push(name),
      ({ reason }: BulkheadFullError) => this.log.push(`${name}: ${reason}`),
    );
    return place;
  }

  giveBack(place: Place): void {
    this.bulkhead.giveBack(place, this.clock.now());
  }

  rejection(): BulkheadFullError {
    try {
      this.take();
    } catch (error) {
      if (error instanceof BulkheadFullError) return error;
      throw error;
    }
    throw new Error('was let in');
  }

  get counts(): [running: number, waiting: number, rejected: number] {
    const { running, waiting, rejected } = this.bulkhead.snapshot();
    return [running, waiting, rejected];
  }
}

describe('a bulkhead', () => {
  it('has so many places, and turns away who comes when all are taken', () => {
    const bench = new Bench({ maxConcurrent: 3 });
    const places = [bench.take(), bench.take(), bench.take()];
    expect(() => bench.take()).toThrow(BulkheadFullError);
    expect(bench.counts).toEqual([3, 0, 1]);
    for (const place of places) expect(place).not.toBeInstanceOf(Waiter);
  });

  it('has a place for another one as soon as one comes back', () => {
    const bench = new Bench({ maxConcurrent: 2 });
    const [first] = [bench.take(), bench.take()];
    bench.giveBack(first);
    bench.take();
    expect(() => bench.take()).toThrow(BulkheadFullError);
    expect(bench.counts).toEqual([2, 0, 1]);
  });

  it('is empty again when all places have come back, in whatever order', () => {
    const bench = new Bench({ maxConcurrent: 3 });
    const [a, b, c] = [bench.take(), bench.take(), bench.take()];
    for (const place of [b, c, a]) bench.giveBack(place);
    expect(bench.counts).toEqual([0, 0, 0]);
  });

  it('shows itself', () => {
    const bench = new Bench({ maxConcurrent: 2, maxQueue: 1 });
    for (let i = 0; i < 3; i++) bench.take();
    bench.rejection();
    expect(bench.bulkhead.snapshot()).toEqual({
      name: 'storagesvc',
      maxConcurrent: 2,
      maxQueue: 1,
      running: 2,
      waiting: 1,
      rejected: 1,
    });
  });
});

describe('the rejection by a full bulkhead', () => {
  it('is a 503 that tells programs all they need, and clients nothing of the inside', () => {
    const bench = new Bench();
    bench.take();
    const error = bench.rejection();
    expect(error).toMatchObject({
      code: 'BULKHEAD_FULL',
      policy: 'bulkhead',
      policyName: 'storagesvc',
      reason: 'full',
      message: 'bulkhead "storagesvc" is full',
    });
    expect(isResilienceError(error, 'BULKHEAD_FULL')).toBe(true);
    expect(error.getStatus()).toBe(503);
    expect(error.getResponse()).toEqual({
      statusCode: 503,
      message: 'Service Unavailable',
      error: 'Service Unavailable',
      code: 'BULKHEAD_FULL',
    });
  });

  it('is no failure of what the bulkhead protects', () => {
    const bench = new Bench();
    bench.take();
    expect(defaultOutcome(bench.rejection())).toBe('ignored');
  });

  it.each([
    ['full', 'is full'],
    ['max-wait', 'had no place in time'],
    ['closing', 'has no place, and nobody waits any more: the application is closing'],
  ] as const)('says why: %s', (reason, words) => {
    expect(new BulkheadFullError('x', reason, undefined).message).toBe(`bulkhead "x" ${words}`);
  });

  it('is an event', () => {
    const bench = new Bench();
    bench.take();
    const { retryAfterMs } = bench.rejection();
    expect(bench.told).toEqual([
      {
        type: 'rejected',
        name: 'storagesvc',
        policy: 'bulkhead',
        code: 'BULKHEAD_FULL',
        retryAfterMs,
      },
    ]);
  });

  describe('says when to come again:', () => {
    const hold = async (bench: Bench, ms: number): Promise<void> => {
      const place = bench.take();
      await bench.clock.advance(ms);
      bench.giveBack(place);
    };

    it('in a second while nothing is known', () => {
      const bench = new Bench();
      bench.take();
      expect(bench.rejection().retryAfterMs).toBe(1_000);
    });

    it('after as long as the first call took', async () => {
      const bench = new Bench();
      await hold(bench, 400);
      bench.take();
      expect(bench.rejection().retryAfterMs).toBe(400);
    });

    it('after a mean in which later calls weigh a tenth', async () => {
      const bench = new Bench();
      await hold(bench, 400);
      await hold(bench, 1_400);
      await hold(bench, 0);
      bench.take();
      expect(bench.rejection().retryAfterMs).toBeCloseTo(450, 6);
    });

    it('sooner with more places, which come free more often', async () => {
      const bench = new Bench({ maxConcurrent: 4 });
      await hold(bench, 400);
      for (let i = 0; i < 4; i++) bench.take();
      expect(bench.rejection().retryAfterMs).toBe(100);
    });

    it('later with a queue, which has to go first', async () => {
      const bench = new Bench({ maxConcurrent: 2, maxQueue: 3 });
      await hold(bench, 400);
      for (let i = 0; i < 5; i++) bench.take();
      expect(bench.rejection().retryAfterMs).toBe(800);
    });

    it('by how long places were held, not by how long calls waited for them', async () => {
      const bench = new Bench({ maxQueue: 1 });
      const first = bench.take();
      const second = bench.wait('second');
      await bench.clock.advance(1_000);
      bench.giveBack(first);
      await bench.clock.advance(1_000);
      bench.giveBack(second);
      bench.take();
      bench.take();
      // 1000 ms each; a place that counted the wait too would make the mean 1100 ms
      expect(bench.rejection().retryAfterMs).toBe(2_000);
    });

    it('which a retry that is told to retry rejections goes by', async () => {
      const bench = new Bench();
      await hold(bench, 400);
      bench.take();
      expect(retryAfterOf(bench.rejection(), bench.clock.wall())).toBe(400);
    });
  });
});

describe('those who wait for a place', () => {
  it('get one in the order in which they came', async () => {
    const bench = new Bench({ maxConcurrent: 2, maxQueue: 4 });
    const places = [bench.take(), bench.take()];
    for (const name of ['a', 'b', 'c', 'd']) places.push(bench.wait(name));
    for (const place of places) {
      bench.giveBack(place);
      await settle();
    }
    expect(bench.log).toEqual(['a', 'b', 'c', 'd']);
    expect(bench.counts).toEqual([0, 0, 0]);
  });

  it('get one each, and only when it has come free', async () => {
    const bench = new Bench({ maxConcurrent: 2, maxQueue: 3 });
    const places = [bench.take(), bench.take()];
    for (const name of ['a', 'b', 'c']) bench.wait(name);
    await settle();
    expect(bench.log).toEqual([]);
    bench.giveBack(places[1]!);
    await settle();
    expect(bench.log).toEqual(['a']);
    expect(bench.counts).toEqual([2, 2, 0]);
  });

  it('have it from the moment at which it came free: a newcomer cannot take it', async () => {
    const bench = new Bench({ maxQueue: 1 });
    const place = bench.take();
    bench.wait('first');
    bench.giveBack(place);
    // nobody has been told yet
    expect(bench.log).toEqual([]);
    expect(bench.counts).toEqual([1, 0, 0]);
    bench.wait('newcomer');
    expect(() => bench.take()).toThrow(BulkheadFullError);
    await settle();
    expect(bench.log).toEqual(['first']);
  });

  it('are no more than maxQueue', () => {
    const bench = new Bench({ maxQueue: 2 });
    bench.take();
    bench.wait('a');
    bench.wait('b');
    expect(bench.rejection().reason).toBe('full');
    expect(bench.counts).toEqual([1, 2, 1]);
  });

  it.each([
    ['first', 'a', ['b', 'c', 'd']],
    ['in the middle', 'b', ['a', 'c', 'd']],
    ['last', 'c', ['a', 'b', 'd']],
  ])('may leave the queue, which keeps its order: the %s', async (_where, leaver, left) => {
    const bench = new Bench({ maxQueue: 3 });
    let place = bench.take();
    const waiters = new Map(['a', 'b', 'c'].map((name) => [name, bench.wait(name)]));
    bench.giveBack(waiters.get(leaver)!);
    expect(bench.counts).toEqual([1, 2, 0]);
    waiters.delete(leaver);
    waiters.set('d', bench.wait('d')); // its place in the queue is free
    expect(bench.rejection().reason).toBe('full');
    for (const waiter of waiters.values()) {
      bench.giveBack(place);
      place = waiter;
      await settle();
    }
    bench.giveBack(place);
    expect(bench.log).toEqual(left);
    expect(bench.counts).toEqual([0, 0, 1]);
  });

  it('may all leave, and others come', async () => {
    const bench = new Bench({ maxQueue: 2 });
    const place = bench.take();
    for (const waiter of [bench.wait('a'), bench.wait('b')]) bench.giveBack(waiter);
    expect(bench.counts).toEqual([1, 0, 0]);
    bench.wait('c');
    bench.giveBack(place);
    await settle();
    expect(bench.log).toEqual(['c']);
  });

  it('may leave when they have a place, which goes to the next', async () => {
    const bench = new Bench({ maxQueue: 2 });
    const place = bench.take();
    const [first] = [bench.wait('first'), bench.wait('second')];
    bench.giveBack(place);
    bench.giveBack(first); // before it has been told
    expect(bench.counts).toEqual([1, 0, 0]);
    await settle();
    expect(bench.log).toEqual(['first', 'second']);
    expect(() => bench.wait('third')).not.toThrow();
  });

  it('may leave when they have a place, which is free when nobody is next', () => {
    const bench = new Bench({ maxQueue: 1 });
    const place = bench.take();
    const waiter = bench.wait('a');
    bench.giveBack(place);
    bench.giveBack(waiter);
    expect(bench.counts).toEqual([0, 0, 0]);
  });

  it('are an event when they have got their place, with the time that they have waited', async () => {
    const bench = new Bench({ maxQueue: 2 });
    const place = bench.take();
    const first = bench.wait('a');
    await bench.clock.advance(30);
    bench.wait('b');
    await bench.clock.advance(70);
    bench.giveBack(place);
    await bench.clock.advance(5);
    bench.giveBack(first);
    expect(bench.told).toEqual([
      { type: 'queued', name: 'storagesvc', waitedMs: 100 },
      { type: 'queued', name: 'storagesvc', waitedMs: 75 },
    ]);
  });

  it('are no event when they leave, nor is who needs not wait', () => {
    const bench = new Bench({ maxQueue: 1 });
    const place = bench.take();
    bench.giveBack(bench.wait('a'));
    bench.giveBack(place);
    expect(bench.told).toEqual([]);
  });

  it('need no timer without maxWait', () => {
    const bench = new Bench({ maxQueue: 1 });
    bench.take();
    bench.wait('a');
    expect(bench.clock.pending).toBe(0);
  });
});

describe('maxWait', () => {
  const given = { maxQueue: 3, maxWait: 100 };

  it('ends the wait of each when its time is over', async () => {
    const bench = new Bench(given);
    bench.take();
    bench.wait('a');
    await bench.clock.advance(40);
    bench.wait('b');
    await bench.clock.advance(59);
    expect(bench.log).toEqual([]);
    await bench.clock.advance(1);
    expect(bench.log).toEqual(['a: max-wait']);
    expect(bench.counts).toEqual([1, 1, 1]);
    await bench.clock.advance(40);
    expect(bench.log).toEqual(['a: max-wait', 'b: max-wait']);
    expect(bench.counts).toEqual([1, 0, 2]);
  });

  it('is a rejection as any other, and an event', async () => {
    const bench = new Bench(given);
    bench.take();
    const { ready } = bench.wait('a');
    const ended = ready.catch((error: unknown) => error);
    await bench.clock.advance(100);
    const error = await ended;
    expect(error).toBeInstanceOf(BulkheadFullError);
    expect(error).toMatchObject({
      code: 'BULKHEAD_FULL',
      reason: 'max-wait',
      retryAfterMs: 1_000,
      message: 'bulkhead "storagesvc" had no place in time',
    });
    expect(bench.told).toEqual([
      {
        type: 'rejected',
        name: 'storagesvc',
        policy: 'bulkhead',
        code: 'BULKHEAD_FULL',
        retryAfterMs: 1_000,
      },
    ]);
  });

  it('makes room in the queue', async () => {
    const bench = new Bench({ maxQueue: 1, maxWait: 100 });
    const place = bench.take();
    bench.wait('a');
    await bench.clock.advance(100);
    bench.wait('b');
    bench.giveBack(place);
    await settle();
    expect(bench.log).toEqual(['a: max-wait', 'b']);
  });

  it('has nothing to give back for those it has turned away', async () => {
    const bench = new Bench(given);
    bench.take();
    const waiter = bench.wait('a');
    await bench.clock.advance(100);
    bench.giveBack(waiter);
    expect(bench.counts).toEqual([1, 0, 1]);
  });

  it('does not concern those who have a place', async () => {
    const bench = new Bench(given);
    const place = bench.take();
    const waiter = bench.wait('a');
    await bench.clock.advance(99);
    bench.giveBack(place);
    await bench.clock.advance(1_000);
    expect(bench.log).toEqual(['a']);
    bench.giveBack(waiter);
    expect(bench.counts).toEqual([0, 0, 0]);
  });

  it('does not concern those who have left', async () => {
    const bench = new Bench(given);
    bench.take();
    bench.giveBack(bench.wait('a'));
    await bench.clock.advance(1_000);
    expect(bench.log).toEqual([]);
    expect(bench.counts).toEqual([1, 0, 0]);
  });

  it('begins when somebody has to wait: until then there is no timer, then one for all', async () => {
    const bench = new Bench(given);
    const setTimer = jest.spyOn(bench.clock, 'setTimer');
    const place = bench.take();
    expect(setTimer).not.toHaveBeenCalled();
    for (const name of ['a', 'b', 'c']) bench.wait(name);
    bench.giveBack(place);
    expect(setTimer).toHaveBeenCalledTimes(1);
    await bench.clock.advance(100);
    expect(bench.log).toEqual(['a', 'b: max-wait', 'c: max-wait']);
    expect(bench.clock.pending).toBe(0);
  });
});

describe('a bulkhead that is closed', () => {
  it('sends away all who wait, at once', async () => {
    const bench = new Bench({ maxQueue: 3, maxWait: 100 });
    bench.take();
    const waiters = ['a', 'b', 'c'].map((name) => bench.wait(name));
    bench.bulkhead.close();
    await settle();
    expect(bench.log).toEqual(['a: closing', 'b: closing', 'c: closing']);
    await expect(waiters[0]!.ready).rejects.toMatchObject({
      code: 'BULKHEAD_FULL',
      reason: 'closing',
      message:
        'bulkhead "storagesvc" has no place, and nobody waits any more: the application is closing',
      retryAfterMs: undefined, // not by this process
    });
    expect(bench.counts).toEqual([1, 0, 3]);
    expect(bench.told.map(({ type }) => type)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  it('leaves no timer behind', () => {
    const waiting = new Bench({ maxQueue: 3, maxWait: 100 });
    waiting.take();
    waiting.wait('a');
    expect(waiting.clock.pending).toBe(1);
    waiting.bulkhead.close();
    expect(waiting.clock.pending).toBe(0);
    const resting = new Bench({ maxQueue: 3, maxWait: 100 });
    const place = resting.take();
    resting.wait('a');
    resting.giveBack(place);
    resting.bulkhead.close();
    expect(resting.clock.pending).toBe(0);
  });

  it('lets nobody wait any more, and sets no timer', () => {
    const bench = new Bench({ maxQueue: 3, maxWait: 100 });
    bench.take();
    bench.bulkhead.close();
    expect(bench.rejection()).toMatchObject({ reason: 'closing', retryAfterMs: undefined });
    expect(bench.clock.pending).toBe(0);
  });

  it('still has places for what has to be done at the end, and takes them back', () => {
    const bench = new Bench({ maxConcurrent: 2, maxQueue: 1 });
    const before = bench.take();
    bench.bulkhead.close();
    const after = bench.take();
    expect(() => bench.take()).toThrow(BulkheadFullError);
    for (const place of [before, after]) bench.giveBack(place);
    expect(bench.counts).toEqual([0, 0, 1]);
  });

  it('leaves those alone who have just got their place', async () => {
    const bench = new Bench({ maxQueue: 2 });
    const place = bench.take();
    bench.wait('a');
    bench.wait('b');
    bench.giveBack(place);
    bench.bulkhead.close();
    await settle();
    expect(bench.log).toEqual(['a', 'b: closing']);
    expect(bench.counts).toEqual([1, 0, 1]);
  });

  it('leaves no rejection unhandled of those who have left before', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const bench = new Bench({ maxQueue: 1, maxWait: 100 });
      bench.take();
      bench.giveBack(bench.take()); // waits, and nobody looks at what becomes of it
      bench.bulkhead.close();
      await bench.clock.advance(1_000);
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });
});

describe('the events of a bulkhead', () => {
  it('come after its state: a listener may take what is left', async () => {
    const bench = new Bench({ maxQueue: 1 });
    const place = bench.take();
    bench.wait('a');
    const seen: unknown[] = [];
    bench.events.subscribe(({ type }) => {
      seen.push([type, ...bench.counts]);
      if (type === 'queued') bench.wait('listener');
    });
    bench.giveBack(place);
    expect(bench.rejection().reason).toBe('full');
    expect(seen).toEqual([
      ['queued', 1, 0, 0],
      ['rejected', 1, 1, 1],
    ]);
    await settle();
    expect(bench.log).toEqual(['a']);
  });

  it('change nothing when a listener throws', async () => {
    const bench = new Bench({ maxQueue: 1 });
    bench.events.subscribe(() => {
      throw new Error('listener');
    });
    const place = bench.take();
    const waiter = bench.wait('a');
    bench.rejection();
    bench.giveBack(place);
    await settle();
    expect(bench.log).toEqual(['a']);
    bench.giveBack(waiter);
    expect(bench.counts).toEqual([0, 0, 1]);
  });

  it('are not made when nobody listens', () => {
    const clock = new ManualClock();
    const events = new ResilienceEvents();
    const emit = jest.spyOn(events, 'emit');
    const settings = { name: undefined, maxConcurrent: 1, maxQueue: 1, maxWait: undefined };
    const bulkhead = new Bulkhead('x', settings, { clock, events });
    const place = bulkhead.take(0);
    bulkhead.take(0);
    expect(() => bulkhead.take(0)).toThrow(BulkheadFullError);
    bulkhead.giveBack(place, 0);
    expect(emit).not.toHaveBeenCalled();
  });
});
