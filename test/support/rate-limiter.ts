import { RateLimiter } from '../../src/policies/rate-limit/rate-limiter.js';
import type { RateLimitedError } from '../../src/policies/rate-limit/rate-limited-error.js';
import type { Waiter } from '../../src/policies/rate-limit/waiter.js';
import type { ResilienceEvent } from '../../src/telemetry/events.js';
import { ResilienceEvents } from '../../src/telemetry/resilience-events.js';
import { ManualClock } from '../../src/testing/index.js';

/** A rate limiter, a clock that only the test moves, and the fate of the waiting calls. */
export class Harness {
  readonly clock = new ManualClock();
  readonly events = new ResilienceEvents();
  readonly emitted: ResilienceEvent[] = [];
  readonly limiter: RateLimiter;
  /** The waiting calls that were allowed or rejected, with the time. */
  readonly log: string[] = [];

  constructor({ limit = 10, perMs = 1_000, burst = 1 } = {}) {
    const { clock, events } = this;
    this.limiter = new RateLimiter('api', { limit, perMs, burst }, { clock, events });
    events.subscribe((event) => void this.emitted.push(event));
  }

  take(cost = 1, maxWait = 0): Waiter | undefined {
    return this.limiter.take(cost, maxWait, this.clock.now());
  }

  /** Begins to wait. */
  wait(name: string, cost = 1, maxWait = Infinity): Waiter {
    const waiter = this.take(cost, maxWait);
    if (waiter === undefined) throw new Error(`${name} was allowed at once`);
    waiter.ready.then(
      () => this.log.push(`${name} at ${this.clock.now()}`),
      ({ reason }: RateLimitedError) => this.log.push(`${name}: ${reason}`),
    );
    return waiter;
  }

  rejection(cost = 1, maxWait = 0): RateLimitedError {
    try {
      this.take(cost, maxWait);
    } catch (error) {
      return error as RateLimitedError;
    }
    throw new Error('was let in');
  }
}
