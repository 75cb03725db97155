import type { RateLimitSnapshot } from '../policies/rate-limit/snapshot.js';

/** A read-only view of a rate limit: its current numbers, and {@link snapshot} to keep them. */
export interface RateLimitView extends RateLimitSnapshot {
  /** The numbers of this moment, as an object that does not change any more. */
  snapshot(): RateLimitSnapshot;
}
