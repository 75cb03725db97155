import { AsyncLocalStorage } from 'node:async_hooks';
import * as fc from 'fast-check';
import { Instance, slowly } from '../../../test/support/guarded-store.js';
import { outcome, settle } from '../../../test/support/wait.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock, MemoryStore } from '../../testing/index.js';
import type { RateLimitedError } from './rate-limited-error.js';
import { SharedRateLimiter } from './shared-rate-limiter.js';

/** Limiters of one name in several instances, which share a store. */
class Fleet {
  readonly clock = new ManualClock();
  readonly memory = new MemoryStore({ clock: this.clock });
  readonly emitted: ResilienceEvent[] = [];
  readonly events = new ResilienceEvents();
  readonly instances: Instance[];
  readonly limiters: SharedRateLimiter[];
  /** How often it has been told that others ask with another rate. */
  otherRates = 0;

  constructor({ count = 1, limit = 10, perMs = 1_000, burst = 2, answersAfter = 0 } = {}) {
    const store = answersAfter > 0 ? slowly(this.memory, this.clock, answersAfter) : this.memory;
    const { clock, events } = this;
    events.subscribe((event) => void this.emitted.push(event));
    this.instances = Array.from({ length: count }, (_, n) => new Instance(store, clock, `${n}`));
    for (const instance of this.instances) instance.living = count;
    this.limiters = this.instances.map(
      ({ store: guarded }) =>
        new SharedRateLimiter('api', { limit, perMs, burst }, { clock, events }, guarded, () => {
          this.otherRates += 1;
        }),
    );
  }

  /** 'now', after how long it was allowed, or why not. */
  async call(n = 0, cost = 1, maxWait = 0): Promise<string> {
    const began = this.clock.now();
    try {
      const turn = this.limiters[n]!.take(cost, maxWait, began);
      if (turn === undefined) return 'at once';
      await turn.ready;
      turn.leave();
      return `after ${this.clock.now() - began}`;
    } catch (error) {
      const { reason, retryAfterMs } = error as RateLimitedError;
      return `${reason} ${retryAfterMs}`;
    }
  }
}

describe('a limit for all instances', () => {
  it('allows so many calls over all of them', async () => {
    const fleet = new Fleet({ count: 3, burst: 2 });
    expect(await Promise.all([0, 1, 2].map((n) => fleet.call(n)))).toEqual([
      'after 0',
      'after 0',
      'limit 100',
    ]);
    await fleet.clock.advance(100);
    expect(await fleet.call(0)).toBe('after 0');
    expect(fleet.emitted).toEqual([
      {
        type: 'rejected',
        name: 'api',
        policy: 'rateLimit',
        code: 'RATE_LIMITED',
        retryAfterMs: 100,
      },
    ]);
    expect(fleet.limiters.map((each) => each.snapshot().rejected)).toEqual([0, 0, 1]);
  });

  it('lets calls wait in their order over all of them', async () => {
    const fleet = new Fleet({ count: 2, burst: 1 });
    const calls = [0, 1, 0, 1].map((n) => fleet.call(n, 1, 250));
    await settle();
    expect(fleet.limiters.map((each) => each.snapshot().waiting)).toEqual([1, 1]);
    expect(fleet.limiters.map((each) => each.snapshot().admitted)).toEqual([1, 0]);
    await fleet.clock.advance(1_000);
    expect(await Promise.all(calls)).toEqual(['after 0', 'after 100', 'after 200', 'limit 50']);
    expect(fleet.limiters.map((each) => each.snapshot().admitted)).toEqual([2, 1]);
    expect(fleet.clock.pending).toBe(0);
  });

  it('does not ask the store for a call that is known to be refused', async () => {
    const fleet = new Fleet({ count: 2, burst: 2 });
    await fleet.call(1, 2);
    expect(await fleet.call(0, 2)).toBe('limit 200');
    const { steps } = fleet.memory;
    await fleet.clock.advance(50);
    expect(await fleet.call(0, 2)).toBe('limit 149'); // a millisecond less, as the store rounds up
    expect(fleet.memory.steps).toBe(steps);
    expect(await fleet.call(0, 1)).toBe('limit 50'); // a cheaper one may be allowed
    expect(fleet.memory.steps).toBe(steps + 1);
    await fleet.clock.advance(150);
    expect(await fleet.call(0, 2)).toBe('after 0');
  });

  it('does not ask the store for a call that costs nothing, or more than the burst', async () => {
    const fleet = new Fleet();
    expect(await fleet.call(0, 0)).toBe('at once');
    expect(await fleet.call(0, 3)).toBe('cost undefined');
    expect(fleet.memory.steps).toBe(0);
  });

  it('shows the latest numbers of the store', async () => {
    const fleet = new Fleet({ burst: 4 });
    await fleet.call(0, 3);
    expect(fleet.limiters[0]!.snapshot()).toEqual({
      name: 'api',
      scope: 'shared',
      limit: 10,
      perMs: 1_000,
      burst: 4,
      remaining: 1,
      resetMs: 300,
      waiting: 0,
      admitted: 1,
      rejected: 0,
    });
    await fleet.clock.advance(250);
    expect(fleet.limiters[0]!.snapshot()).toMatchObject({ remaining: 3, resetMs: 50 });
  });

  it('emits events of waits in the async context of their calls', async () => {
    const user = new AsyncLocalStorage<string>();
    const fleet = new Fleet({ burst: 1 });
    const seen: unknown[] = [];
    fleet.events.subscribe(({ type }) => void seen.push([type, user.getStore()]));
    await fleet.call();
    const call = user.run('anna', () => fleet.call(0, 1, 500));
    await fleet.clock.advance(100);
    await call;
    expect(seen).toEqual([['throttled', 'anna']]);
    expect(fleet.emitted).toEqual([{ type: 'throttled', name: 'api', waitedMs: 100 }]);
  });

  it('ends waits when the application closes', async () => {
    const fleet = new Fleet({ burst: 1 });
    await fleet.call();
    const waiting = fleet.call(0, 1, 500);
    await settle();
    fleet.limiters[0]!.close();
    expect(await waiting).toBe('closing undefined');
    expect(await fleet.call(0, 1, 500)).toBe('closing undefined');
    expect(fleet.clock.pending).toBe(0);
  });

  it('leaves no timer behind for a call that ends while it waits', async () => {
    const fleet = new Fleet({ burst: 1 });
    await fleet.call();
    const turn = fleet.limiters[0]!.take(1, 500, 0)!;
    await settle();
    turn.leave();
    await turn.ready;
    expect(fleet.clock.pending).toBe(0);
    expect(fleet.emitted).toEqual([]);
  });

  it('may change, and the store keeps its counts', async () => {
    const fleet = new Fleet({ burst: 2 });
    await fleet.call(0, 2);
    expect(await fleet.call()).toBe('limit 100');
    fleet.limiters[0]!.reconfigure({ limit: 100, perMs: 1_000, burst: 3 });
    expect(await fleet.call()).toBe('after 0');
    expect(await fleet.call()).toBe('limit 10');
  });
});

it('a limit for all instances never allows more than limit and burst in any window', async () => {
  const call = fc.record({
    n: fc.nat(2),
    gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 150 })),
    cost: fc.integer({ min: 1, max: 3 }),
    maxWait: fc.constantFrom(0, 100, 1_000),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 3, max: 8 }),
      fc.array(call, { maxLength: 40 }),
      async (limit, burst, calls) => {
        const fleet = new Fleet({ count: 3, limit, burst });
        const started: { at: number; cost: number }[] = [];
        for (const { n, gap, cost, maxWait } of calls) {
          await fleet.clock.advance(gap);
          const turn = tryTo(() => fleet.limiters[n]!.take(cost, maxWait, fleet.clock.now()));
          turn?.ready.then(
            () => started.push({ at: fleet.clock.now(), cost }),
            () => {},
          );
        }
        await fleet.clock.advance(5_000);
        expect(fleet.clock.pending).toBe(0);
        started.forEach((from, first) => {
          let sum = 0;
          for (const { at, cost } of started.slice(first)) {
            sum += cost;
            expect(sum).toBeLessThanOrEqual(burst + ((at - from.at + 1) * limit) / 1_000);
          }
        });
      },
    ),
    { numRuns: 60 },
  );
});

function tryTo<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

describe('while the store is away, a limit for all instances', () => {
  it('is this share per instance', async () => {
    const fleet = new Fleet({ count: 2, limit: 10, burst: 4 });
    fleet.memory.fail('down');
    const all: string[] = [];
    for (let call = 0; call < 4; call++) all.push(await fleet.call(0));
    // Two calls, as for half of the burst; the first two ask the store in vain.
    expect(all).toEqual(['after 0', 'after 0', 'limit 200', 'limit 200']);
    expect(fleet.memory.steps).toBe(2);
    expect(await fleet.call(1)).toBe('after 0');
    expect(fleet.limiters[0]!.snapshot()).toMatchObject({
      scope: 'shared',
      burst: 4,
      remaining: 0,
      admitted: 2,
      rejected: 2,
    });
    await fleet.clock.advance(200);
    expect(await fleet.call(0)).toBe('at once');
  });

  it('shows the share once it has decided, although the store is not away yet', async () => {
    const fleet = new Fleet({ limit: 40, burst: 8 });
    const [instance] = fleet.instances;
    const [limiter] = fleet.limiters;
    const shown = (): unknown => [limiter!.quota().remaining, limiter!.nextMs()];
    await fleet.call(0, 2);
    expect(shown()).toEqual([6, 25]);
    jest.spyOn(fleet.memory, 'limit').mockRejectedValueOnce(new Error('late'));
    await fleet.call(0, 8);
    expect(instance!.store.available).toBe(true);
    expect(shown()).toEqual([0, 25]);
    expect(limiter!.snapshot().remaining).toBe(0);
    await fleet.call(0, 1);
    expect(shown()).toEqual([5, 25]);
  });

  it('shows the share: its rate, and when it allows more', async () => {
    const fleet = new Fleet({ count: 4, limit: 40, burst: 10 });
    const [limiter] = fleet.limiters;
    const quota = (): unknown => ({ ...limiter!.quota(), nextMs: limiter!.nextMs() });
    const ofStore = { limit: 40, perMs: 1_000, burst: 10 };
    const ofShare = { limit: 10, perMs: 1_000, burst: 2.5 };
    await fleet.call(0, 2);
    expect(quota()).toEqual({ ...ofStore, remaining: 8, nextMs: 25 });
    fleet.memory.fail('down');
    for (let call = 0; call < 2; call++) await fleet.call(0);
    expect(quota()).toEqual({ ...ofShare, remaining: 0, nextMs: 50 });
    await fleet.clock.advance(50);
    expect(quota()).toEqual({ ...ofShare, remaining: 1, nextMs: 100 });
    await fleet.clock.advance(200);
    expect(quota()).toEqual({ ...ofShare, remaining: 2, nextMs: undefined });
    expect(() => limiter!.take(11, 0, fleet.clock.now())).toThrow(
      expect.objectContaining({
        httpHeaders: expect.objectContaining({ RateLimit: '"default";r=2' }),
      }),
    );
  });

  it('waits at most for the time budget', async () => {
    const fleet = new Fleet({ burst: 2 });
    fleet.memory.fail('frozen');
    const calls = [fleet.call(), fleet.call()];
    await fleet.clock.advance(50);
    expect(await Promise.all(calls)).toEqual(['after 50', 'after 50']);
    const third = fleet.call();
    await fleet.clock.advance(50);
    expect(await third).toBe('limit 50');
    expect(await fleet.call()).toBe('limit 50'); // the store is not asked any more
  });

  it('subtracts the wait for the store from the time that a call may wait', async () => {
    const fleet = new Fleet({ burst: 1 });
    fleet.memory.fail('frozen');
    const first = fleet.call();
    const second = fleet.call(0, 1, 120);
    await fleet.clock.advance(1_000);
    expect(await first).toBe('after 50');
    expect(await second).toBe('limit 30');
  });

  it('admits expensive calls that the whole limit allows', async () => {
    const fleet = new Fleet({ count: 4, limit: 40, burst: 8 });
    fleet.memory.fail('down');
    expect(await fleet.call(0, 8)).toBe('after 0');
    expect(await fleet.call(0, 1)).toMatch(/^limit/);
  });

  it('follows the number of instances', async () => {
    const fleet = new Fleet({ count: 1, burst: 4 });
    fleet.memory.fail('down');
    await fleet.call();
    fleet.instances[0]!.living = 4;
    expect([await fleet.call(), await fleet.call()]).toEqual(['limit 400', 'limit 400']);
  });

  it('lets the store decide again once it is back', async () => {
    const fleet = new Fleet({ count: 2, burst: 2 });
    fleet.memory.fail('down');
    await fleet.call();
    await fleet.call();
    fleet.memory.recover();
    fleet.instances[0]!.recover();
    expect(await fleet.call()).toBe('after 0');
    expect(fleet.memory.steps).toBe(3);
  });

  it('warns when the rates of instances differ for more than a minute', async () => {
    const fleet = new Fleet({ count: 2, limit: 100, burst: 50 });
    const both = async (): Promise<void> => {
      for (const n of [0, 1]) await fleet.call(n, 10);
      await fleet.clock.advance(50);
    };
    const run = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 50) await both();
    };
    const rate = { limit: 100, perMs: 1_000, burst: 20 };
    fleet.limiters[0]!.reconfigure(rate);
    await run(1_000);
    fleet.limiters[1]!.reconfigure(rate);
    await run(70_000);
    expect(fleet.otherRates).toBe(0); // a change, which took a while
    fleet.limiters[0]!.reconfigure({ ...rate, burst: 30 });
    await run(59_000);
    expect(fleet.otherRates).toBe(0);
    await run(2_000);
    expect(fleet.otherRates).toBeGreaterThan(0);
  });

  it('is in use while the store is asked, so that no other key replaces it', async () => {
    const fleet = new Fleet();
    const [limiter] = fleet.limiters;
    expect(limiter!.idle).toBe(true);
    const call = fleet.call();
    expect(limiter!.idle).toBe(false);
    await call;
    expect(limiter!.idle).toBe(true);
    fleet.memory.fail('down');
    await fleet.call();
    await fleet.clock.advance(1_000);
    expect(limiter!.idle).toBe(true);
  });

  it('drops an answer that arrives too late', async () => {
    const fleet = new Fleet({ burst: 1, answersAfter: 200 });
    const call = fleet.call();
    await fleet.clock.advance(1_000);
    expect(await call).toBe('after 50');
    expect(fleet.emitted).toEqual([]);
    expect(fleet.limiters[0]!.snapshot().remaining).toBe(1);
  });

  it('does not count a call that ends while the store is asked', async () => {
    const fleet = new Fleet({ burst: 1 });
    fleet.memory.fail('frozen');
    const turn = fleet.limiters[0]!.take(1, 500, 0)!;
    turn.leave();
    const ended = outcome(turn.ready);
    await fleet.clock.advance(50);
    expect(await ended).toEqual({ value: undefined });
    const next = fleet.call();
    await fleet.clock.advance(50);
    expect(await next).toBe('after 50');
    expect(fleet.clock.pending).toBe(0);
  });
});
