import * as fc from 'fast-check';
import { Harness } from '../../../test/support/rate-limiter.js';
import { MemoryStore } from '../../testing/index.js';
import type { RateLimitedError } from './rate-limited-error.js';

/*
 * A limit decides alike whether its state is in the process or in a store: the same calls go, wait as long, and are told to
 * come back after the same time.
 */

interface Decision {
  readonly allowed: boolean;
  readonly waitMs: number;
  readonly retryAfterMs: number;
  readonly remaining: number;
}

/** The decision of a limiter in the process; `waited` is filled in once the call may go. */
function ask(harness: Harness, cost: number, maxWait: number): Decision | { waited: number } {
  const { clock, limiter } = harness;
  const began = clock.now();
  try {
    const waiter = harness.take(cost, maxWait);
    const { remaining } = limiter.snapshot();
    if (waiter === undefined) return { allowed: true, waitMs: 0, retryAfterMs: 0, remaining };
    const waiting = { waited: -1 };
    void waiter.ready.then(() => (waiting.waited = clock.now() - began));
    return waiting;
  } catch (error) {
    const { retryAfterMs = Infinity } = error as RateLimitedError;
    const { remaining } = limiter.snapshot();
    return { allowed: false, waitMs: 0, retryAfterMs, remaining };
  }
}

const arrival = fc.record({
  gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 })),
  cost: fc.integer({ min: 1, max: 5 }),
  maxWait: fc.constantFrom(0, 10, 250, 2_000),
});

it('a limit in the process and one in a store make the same decisions on the same arrivals', async () => {
  let waits = 0;
  let refusals = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 5_000 }),
      fc.integer({ min: 1, max: 12 }),
      fc.array(arrival, { minLength: 1, maxLength: 60 }),
      async (limit, perMs, burst, arrivals) => {
        const harness = new Harness({ limit, perMs, burst });
        const { clock } = harness;
        const store = new MemoryStore({ clock });
        const pairs: { own: ReturnType<typeof ask>; shared: Decision }[] = [];
        for (const { gap, cost, maxWait } of arrivals) {
          await clock.advance(gap);
          const own = ask(harness, cost, maxWait);
          const request = { limit, perMs, burst, cost, maxWaitMs: maxWait };
          pairs.push({ own, shared: await store.limit('api', request) });
        }
        await clock.advance(20_000);
        for (const { own, shared } of pairs) {
          const { allowed, waitMs, retryAfterMs, remaining } = shared;
          if ('waited' in own) {
            waits += 1;
            expect([allowed, waitMs]).toEqual([true, Math.ceil(own.waited - 1e-6)]);
          } else {
            refusals += Number(!allowed);
            expect(own).toEqual({ allowed, waitMs, retryAfterMs, remaining });
          }
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(waits).toBeGreaterThan(100);
  expect(refusals).toBeGreaterThan(100);
});
