import type { Call } from '../../pipeline/call.js';
import { Stage } from '../../pipeline/stage.js';
import type { KeyedRateLimiters } from './keyed-rate-limiters.js';
import type { RateLimitSettings } from './options.js';
import type { RateLimiter } from './rate-limiter.js';
import type { Waiter } from './waiter.js';

/** Lets calls through as a limit allows. */
export class RateLimitStage extends Stage<Waiter> {
  constructor(
    private readonly limiters: RateLimiter | KeyedRateLimiters,
    private readonly terms: Pick<RateLimitSettings, 'cost' | 'maxWait'>,
  ) {
    super();
  }

  override enter(call: Call): Waiter | undefined {
    const limiter = this.limiters.forCall(call);
    if (limiter === undefined) return undefined;
    const { cost, maxWait } = this.terms;
    const now = call.now();
    return limiter.take(
      typeof cost === 'number' ? cost : cost(call),
      maxWait === 0 ? 0 : Math.min(maxWait, call.deadline - now),
      now,
    );
  }

  override ready(_call: Call, waiter: Waiter | undefined): Promise<void> | undefined {
    return waiter?.ready;
  }

  override exit(_call: Call, waiter: Waiter | undefined): void {
    waiter?.leave();
  }
}
