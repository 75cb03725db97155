import { AsyncLocalStorage } from 'node:async_hooks';
import * as fc from 'fast-check';
import { Harness } from '../../../test/support/rate-limiter.js';
import type { Waiter } from './waiter.js';

describe('a rate limiter without waiting', () => {
  it('rejects a call at once, says when to call again, and does not count it', () => {
    const harness = new Harness({ limit: 10, burst: 2 });
    const { limiter, clock } = harness;
    harness.take();
    harness.take();
    const error = harness.rejection();
    expect(error).toMatchObject({
      code: 'RATE_LIMITED',
      policy: 'rateLimit',
      policyName: 'api',
      reason: 'limit',
    });
    expect(error.getStatus()).toBe(429);
    expect(error.retryAfterMs).toBeCloseTo(100);
    expect(limiter.snapshot()).toEqual({
      name: 'api',
      scope: 'local',
      limit: 10,
      perMs: 1_000,
      burst: 2,
      remaining: 0,
      resetMs: 200,
      waiting: 0,
      admitted: 2,
      rejected: 1,
    });
    expect(clock.pending).toBe(0);
  });

  it('always rejects a call that costs more than the burst', () => {
    const harness = new Harness({ burst: 3 });
    const error = harness.rejection(4, Infinity);
    expect([error.reason, error.retryAfterMs]).toEqual(['cost', undefined]);
    expect(harness.limiter.snapshot().remaining).toBe(3);
  });

  it('admits a call that costs nothing, even while others wait', () => {
    const harness = new Harness();
    harness.take();
    harness.wait('a');
    expect(harness.take(0)).toBeUndefined();
  });

  it('emits events of rejections', () => {
    const harness = new Harness({ limit: 4, burst: 1 });
    harness.take();
    harness.rejection();
    expect(harness.emitted).toEqual([
      {
        type: 'rejected',
        name: 'api',
        policy: 'rateLimit',
        code: 'RATE_LIMITED',
        retryAfterMs: 250,
      },
    ]);
  });
});

describe('calls that wait for a rate limiter', () => {
  it('are allowed one by one, first come, first served, with one timer', async () => {
    const harness = new Harness();
    harness.take();
    for (const name of ['a', 'b', 'c']) harness.wait(name);
    expect(harness.clock.pending).toBe(1);
    expect(harness.limiter.snapshot()).toMatchObject({
      waiting: 3,
      remaining: 0,
      admitted: 1,
    });
    await harness.clock.advance(1_000);
    expect(harness.log).toEqual(['a at 100', 'b at 200', 'c at 300']);
    expect(harness.clock.pending).toBe(0);
    expect(harness.limiter.snapshot()).toMatchObject({ waiting: 0, admitted: 4, rejected: 0 });
  });

  it('are only those that will be allowed within maxWait', async () => {
    const harness = new Harness();
    harness.take();
    harness.wait('a', 1, 200);
    harness.wait('b', 1, 200);
    const error = harness.rejection(1, 200);
    expect([error.reason, error.retryAfterMs]).toEqual(['limit', 100]);
    await harness.clock.advance(100);
    harness.wait('c', 1, 200);
    await harness.clock.advance(1_000);
    expect(harness.log).toEqual(['a at 100', 'b at 200', 'c at 300']);
  });

  it('are not overtaken by cheaper ones', async () => {
    const harness = new Harness({ burst: 5 });
    harness.take(5);
    harness.wait('dear', 4);
    harness.wait('cheap', 1);
    await harness.clock.advance(1_000);
    expect(harness.log).toEqual(['dear at 400', 'cheap at 500']);
  });

  it('are not overtaken by one that arrives when they are due', async () => {
    const harness = new Harness();
    harness.take();
    harness.wait('a');
    let taken: unknown = 'nothing';
    harness.clock.setTimer(() => (taken = harness.rejection().retryAfterMs), 100);
    await harness.clock.advance(100);
    expect(harness.log).toEqual(['a at 100']);
    expect(taken).toBeCloseTo(100);
  });

  it('give their turn back when they leave, so that calls behind them move up', async () => {
    const harness = new Harness();
    harness.take();
    const waiters = ['a', 'b', 'c', 'd'].map((name) => harness.wait(name));
    await harness.clock.advance(50);
    waiters[0]!.leave();
    waiters[2]!.leave();
    waiters[2]!.leave();
    expect(harness.limiter.snapshot().waiting).toBe(2);
    await harness.clock.advance(1_000);
    expect(harness.log).toEqual(['b at 100', 'd at 200']);
  });

  it('leave no timer behind when the last one leaves', () => {
    const harness = new Harness();
    harness.take();
    const waiters = [harness.wait('a'), harness.wait('b')];
    for (const waiter of waiters) waiter.leave();
    expect(harness.clock.pending).toBe(0);
    expect(harness.limiter.snapshot()).toMatchObject({ waiting: 0, resetMs: 100 });
  });

  it('have nothing to give back once they have been allowed', async () => {
    const harness = new Harness();
    harness.take();
    const waiter = harness.wait('a');
    await harness.clock.advance(100);
    waiter.leave();
    expect(harness.limiter.snapshot().resetMs).toBeCloseTo(100);
  });

  it('have their events in their own async context', async () => {
    const user = new AsyncLocalStorage<string>();
    const harness = new Harness();
    const seen: unknown[] = [];
    harness.events.subscribe((event) => void seen.push([event.type, user.getStore()]));
    harness.take();
    user.run('anna', () => harness.wait('a'));
    user.run('bob', () => harness.wait('b'));
    await harness.clock.advance(100);
    expect(harness.emitted).toEqual([{ type: 'throttled', name: 'api', waitedMs: 100 }]);
    harness.limiter.close();
    expect(seen).toEqual([
      ['throttled', 'anna'],
      ['rejected', 'bob'],
    ]);
  });

  it('are rejected when the application closes, and no call may wait any more', async () => {
    const harness = new Harness();
    harness.take();
    harness.wait('a');
    harness.limiter.close();
    expect(harness.rejection(1, 1_000).reason).toBe('closing');
    await harness.clock.advance(0);
    expect([harness.log, harness.clock.pending]).toEqual([['a: closing'], 0]);
    await harness.clock.advance(100);
    expect(harness.take()).toBeUndefined();
  });

  it('may lead to further calls by a listener', async () => {
    const harness = new Harness();
    const waiters: Waiter[] = [];
    harness.events.subscribe(({ type }) => {
      if (type === 'throttled' && waiters.length < 2) waiters.push(harness.wait('listener'));
    });
    harness.take();
    harness.wait('a');
    await harness.clock.advance(1_000);
    expect(harness.log).toEqual(['a at 100', 'listener at 200', 'listener at 300']);
  });

  it('do not start all at once after a time in which nothing could run', () => {
    const harness = new Harness({ limit: 100, burst: 2 });
    harness.take(2);
    for (let call = 0; call < 50; call++) harness.wait(`${call}`);
    // The loop is blocked for 300 ms: the timer has not fired, and the next call finds out.
    harness.limiter.take(0, 0, 300);
    expect(() => harness.limiter.take(1, 0, 300)).toThrow('is exhausted');
    expect(50 - harness.limiter.snapshot().waiting).toBe(3); // the burst, and what was due just now
  });
});

describe('a rate limiter that is changed', () => {
  it('admits waiting calls as the new limit allows', async () => {
    const harness = new Harness({ limit: 1, burst: 1 });
    harness.take();
    for (const name of ['a', 'b', 'c']) harness.wait(name);
    await harness.clock.advance(100);
    harness.limiter.reconfigure({ limit: 10, perMs: 1_000, burst: 2 });
    await harness.clock.advance(1_000);
    expect(harness.log).toEqual(['a at 100', 'b at 190', 'c at 290']);
  });

  it('rejects waiting calls that can never be allowed any more', async () => {
    const harness = new Harness({ limit: 1, burst: 5 });
    harness.take(5);
    harness.wait('dear', 3);
    harness.wait('cheap', 1);
    harness.limiter.reconfigure({ limit: 1, perMs: 1_000, burst: 2 });
    await harness.clock.advance(1_000);
    expect(harness.log).toEqual(['dear: cost', 'cheap at 1000']);
  });

  it('is not blocked by calls that the old limit allowed', () => {
    const harness = new Harness({ limit: 1_000, burst: 1_000 });
    harness.take(1_000);
    harness.limiter.reconfigure({ limit: 1, perMs: 3_600_000, burst: 1 });
    expect(harness.rejection().retryAfterMs).toBeCloseTo(3_600_000);
  });
});

it('never admits more calls than limit and burst in any window, whichever wait and leave', async () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('call' as const),
      cost: fc.integer({ min: 1, max: 4 }),
      maxWait: fc.constantFrom(0, 50, 400),
    }),
    fc.record({ do: fc.constant('leave' as const), which: fc.nat(20) }),
    fc.record({ do: fc.constant('move' as const), ms: fc.integer({ min: 0, max: 120 }) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 4, max: 10 }),
      fc.array(step, { maxLength: 60 }),
      async (limit, burst, steps) => {
        const harness = new Harness({ limit, burst });
        const { clock } = harness;
        const started: { at: number; cost: number }[] = [];
        const waiting = new Set<{ waiter: Waiter; until: number }>();
        const order: number[] = [];
        let number = 0;
        for (const each of steps) {
          if (each.do === 'move') {
            await clock.advance(each.ms);
          } else if (each.do === 'leave') {
            const entry = [...waiting][each.which];
            if (entry === undefined) continue;
            waiting.delete(entry);
            entry.waiter.leave();
          } else {
            const { cost, maxWait } = each;
            const own = (number += 1);
            let waiter: Waiter | undefined;
            try {
              waiter = harness.take(cost, maxWait);
            } catch {
              continue;
            }
            if (waiter === undefined) {
              expect(waiting.size).toBe(0);
              started.push({ at: clock.now(), cost });
              continue;
            }
            const entry = { waiter, until: clock.now() + maxWait };
            waiting.add(entry);
            void waiter.ready.then(() => {
              expect(waiting.delete(entry)).toBe(true);
              expect(clock.now()).toBeLessThanOrEqual(entry.until + 1e-6);
              order.push(own);
              started.push({ at: clock.now(), cost });
            });
          }
        }
        await clock.advance(10_000);
        expect([waiting.size, clock.pending]).toEqual([0, 0]);
        expect(order).toEqual([...order].sort((a, b) => a - b));
        started.forEach((from, first) => {
          let sum = 0;
          for (const { at, cost } of started.slice(first)) {
            sum += cost;
            expect(sum).toBeLessThanOrEqual(burst + ((at - from.at) * limit) / 1_000 + 1e-6);
          }
        });
      },
    ),
    { numRuns: 60 },
  );
});
