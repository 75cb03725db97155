import { ResilienceError } from '../../common/errors.js';
import { printable } from '../../common/printable.js';
import { type Quota, headersOf } from './headers.js';

/** Why a rate limit rejects a call. */
export type RateLimitedReason =
  /** There were too many calls, and the wait for the next one would be longer than `maxWait` or than the call's deadline. */
  | 'limit'
  /** The call costs more than the burst, so it can never be allowed. */
  | 'cost'
  /** The call would have to wait, and the application is closing. */
  | 'closing';

const MESSAGES: Readonly<Record<RateLimitedReason, string>> = {
  limit: 'is exhausted',
  cost: 'can never allow the call: it costs more than the burst',
  closing: 'is exhausted, and no call may wait: the application is closing',
};

/** There were too many calls. 429, code `RATE_LIMITED`. */
export class RateLimitedError extends ResilienceError {
  constructor(
    limitName: string,
    /** Why the call was rejected. */
    readonly reason: RateLimitedReason,
    private readonly quota: Quota,
    retryAfterMs: number | undefined,
  ) {
    super({
      code: 'RATE_LIMITED',
      policy: 'rateLimit',
      policyName: limitName,
      status: 429,
      title: 'Too Many Requests',
      message: `rate limit "${printable(limitName)}" ${MESSAGES[reason]}`,
      retryAfterMs,
    });
    // Errors are written to logs with their properties; the name says enough.
    Object.defineProperty(this, 'quota', { enumerable: false });
  }

  /** `RateLimit-Policy` and `RateLimit`. */
  override get httpHeaders(): Readonly<Record<string, string>> {
    return headersOf(this.quota, this.retryAfterMs);
  }
}
