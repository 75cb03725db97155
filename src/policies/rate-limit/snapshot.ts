import type { Scope } from '../scope.js';

/** A rate limit at one moment. */
export interface RateLimitSnapshot {
  /** The name in the registry. */
  readonly name: string;
  /** Whether it is that of this process, or of all instances of the application. */
  readonly scope: Scope;
  /** Calls per {@link perMs}. */
  readonly limit: number;
  /** The period of the limit, milliseconds. */
  readonly perMs: number;
  /** Calls that may come at once. */
  readonly burst: number;
  /** Calls that would be allowed now without a wait. */
  readonly remaining: number;
  /** Milliseconds until the whole burst is allowed again. */
  readonly resetMs: number;
  /** Calls that wait until they are allowed. */
  readonly waiting: number;
  /** Calls of this process that were allowed since the start, except those that cost nothing. */
  readonly admitted: number;
  /** Calls of this process that were rejected since the start. */
  readonly rejected: number;
}
