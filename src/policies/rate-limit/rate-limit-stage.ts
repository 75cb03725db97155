import type { Call } from '../../pipeline/call.js';
import { Stage } from '../../pipeline/stage.js';
import type { KeyedRateLimiters } from './keyed-rate-limiters.js';
import type { Limiter } from './limiter.js';
import type { RateLimitSettings } from './options.js';
import type { Turn } from './turn.js';

/** Admits calls as a limit allows. */
export class RateLimitStage extends Stage<Turn> {
  constructor(
    private readonly limiters: Limiter | KeyedRateLimiters,
    private readonly terms: Pick<RateLimitSettings, 'cost' | 'maxWait'>,
  ) {
    super();
  }

  override enter(call: Call): Turn | undefined {
    const limiter = this.limiters.forCall(call);
    return limiter === undefined ? undefined : this.take(limiter, call);
  }

  protected take(limiter: Limiter, call: Call): Turn | undefined {
    const { cost, maxWait } = this.terms;
    const now = call.now();
    return limiter.take(
      typeof cost === 'number' ? cost : cost(call),
      maxWait === 0 ? 0 : Math.min(maxWait, call.deadline - now),
      now,
    );
  }

  override ready(_call: Call, turn: Turn | undefined): Promise<void> | undefined {
    return turn?.ready;
  }

  override exit(_call: Call, turn: Turn | undefined): void {
    turn?.leave();
  }
}
