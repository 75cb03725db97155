import { isResilienceError } from '../../common/errors.js';
import { retryAfterOf } from '../../common/outcomes/retry-after.js';
import { defaultOutcome } from '../../common/outcomes/default-outcome.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { Harness } from '../../../test/support/bulkhead.js';
import { settle } from '../../../test/support/wait.js';
import { BulkheadFullError } from './bulkhead-full-error.js';
import { Bulkhead, Waiter } from './bulkhead.js';

describe('a bulkhead', () => {
  it('has so many places, and rejects calls while all are taken', () => {
    const harness = new Harness({ maxConcurrent: 3 });
    const places = [harness.take(), harness.take(), harness.take()];
    expect(() => harness.take()).toThrow(BulkheadFullError);
    expect(harness.counts).toEqual([3, 0, 1]);
    for (const place of places) expect(place).not.toBeInstanceOf(Waiter);
  });

  it('has a place for another call as soon as one is given back', () => {
    const harness = new Harness({ maxConcurrent: 2 });
    const [first] = [harness.take(), harness.take()];
    harness.giveBack(first);
    harness.take();
    expect(() => harness.take()).toThrow(BulkheadFullError);
    expect(harness.counts).toEqual([2, 0, 1]);
  });

  it('is empty again when all places have been given back, in any order', () => {
    const harness = new Harness({ maxConcurrent: 3 });
    const [a, b, c] = [harness.take(), harness.take(), harness.take()];
    for (const place of [b, c, a]) harness.giveBack(place);
    expect(harness.counts).toEqual([0, 0, 0]);
  });

  it('has a snapshot', () => {
    const harness = new Harness({ maxConcurrent: 2, maxQueue: 1 });
    for (let i = 0; i < 3; i++) harness.take();
    harness.rejection();
    expect(harness.bulkhead.snapshot()).toEqual({
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
  it('is a 503 that gives programs all details, and reveals no internals to clients', () => {
    const harness = new Harness();
    harness.take();
    const error = harness.rejection();
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

  it('is not a failure of the protected dependency', () => {
    const harness = new Harness();
    harness.take();
    expect(defaultOutcome(harness.rejection())).toBe('ignored');
  });

  it.each([
    ['full', 'is full'],
    ['max-wait', 'had no free place within maxWait'],
    ['closing', 'is full, and no call may queue: the application is closing'],
  ] as const)('says why: %s', (reason, words) => {
    expect(new BulkheadFullError('x', reason, undefined).message).toBe(`bulkhead "x" ${words}`);
  });

  it('is an event', () => {
    const harness = new Harness();
    harness.take();
    const { retryAfterMs } = harness.rejection();
    expect(harness.emitted).toEqual([
      {
        type: 'rejected',
        name: 'storagesvc',
        policy: 'bulkhead',
        code: 'BULKHEAD_FULL',
        retryAfterMs,
      },
    ]);
  });

  describe('says when to call again:', () => {
    const hold = async (harness: Harness, ms: number): Promise<void> => {
      const place = harness.take();
      await harness.clock.advance(ms);
      harness.giveBack(place);
    };

    it('in a second, as long as no duration is known', () => {
      const harness = new Harness();
      harness.take();
      expect(harness.rejection().retryAfterMs).toBe(1_000);
    });

    it('after the duration of the first call', async () => {
      const harness = new Harness();
      await hold(harness, 400);
      harness.take();
      expect(harness.rejection().retryAfterMs).toBe(400);
    });

    it('after a mean to which each later call contributes a tenth', async () => {
      const harness = new Harness();
      await hold(harness, 400);
      await hold(harness, 1_400);
      await hold(harness, 0);
      harness.take();
      expect(harness.rejection().retryAfterMs).toBeCloseTo(450, 6);
    });

    it('sooner with more places, which become free more often', async () => {
      const harness = new Harness({ maxConcurrent: 4 });
      await hold(harness, 400);
      for (let i = 0; i < 4; i++) harness.take();
      expect(harness.rejection().retryAfterMs).toBe(100);
    });

    it('later with a queue, which goes first', async () => {
      const harness = new Harness({ maxConcurrent: 2, maxQueue: 3 });
      await hold(harness, 400);
      for (let i = 0; i < 5; i++) harness.take();
      expect(harness.rejection().retryAfterMs).toBe(800);
    });

    it('by how long places were held, not by how long calls waited for them', async () => {
      const harness = new Harness({ maxQueue: 1 });
      const first = harness.take();
      const second = harness.wait('second');
      await harness.clock.advance(1_000);
      harness.giveBack(first);
      await harness.clock.advance(1_000);
      harness.giveBack(second);
      harness.take();
      harness.take();
      // 1000 ms each; a place that counted the wait too would make the mean 1100 ms
      expect(harness.rejection().retryAfterMs).toBe(2_000);
    });

    it('which is honoured by a retry that retries rejections', async () => {
      const harness = new Harness();
      await hold(harness, 400);
      harness.take();
      expect(retryAfterOf(harness.rejection(), harness.clock.wall())).toBe(400);
    });
  });
});

describe('the events of a bulkhead', () => {
  it('follow its state: a listener may take a remaining place', async () => {
    const harness = new Harness({ maxQueue: 1 });
    const place = harness.take();
    harness.wait('a');
    const seen: unknown[] = [];
    harness.events.subscribe(({ type }) => {
      seen.push([type, ...harness.counts]);
      if (type === 'queued') harness.wait('listener');
    });
    harness.giveBack(place);
    expect(harness.rejection().reason).toBe('full');
    expect(seen).toEqual([
      ['queued', 1, 0, 0],
      ['rejected', 1, 1, 1],
    ]);
    await settle();
    expect(harness.log).toEqual(['a']);
  });

  it('have no effect when a listener throws', async () => {
    const harness = new Harness({ maxQueue: 1 });
    harness.events.subscribe(() => {
      throw new Error('listener');
    });
    const place = harness.take();
    const waiter = harness.wait('a');
    harness.rejection();
    harness.giveBack(place);
    await settle();
    expect(harness.log).toEqual(['a']);
    harness.giveBack(waiter);
    expect(harness.counts).toEqual([0, 0, 1]);
  });

  it('are not created without listeners', () => {
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
