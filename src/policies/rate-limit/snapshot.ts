/** A rate limit at one moment. */
export interface RateLimitSnapshot {
  /** The name in the registry. */
  readonly name: string;
  /** Calls per {@link perMs}. */
  readonly limit: number;
  /** The period of the limit, milliseconds. */
  readonly perMs: number;
  /** Calls that may come at once. */
  readonly burst: number;
  /** Calls that would be allowed now without a wait. */
  readonly remaining: number;
  /** Until the whole burst is allowed again, milliseconds. */
  readonly resetMs: number;
  /** Calls that wait until they are allowed. */
  readonly waiting: number;
  /** Calls since the start, rejected ones included; those that cost nothing do not count. */
  readonly calls: number;
  /** Calls rejected since the start. */
  readonly rejected: number;
}
