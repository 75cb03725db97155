import type { RateLimitSnapshot } from '../policies/rate-limit/snapshot.js';

/** A read-only view of a rate limit: its current numbers, and {@link snapshot} to keep them. */
export interface RateLimitView extends RateLimitSnapshot {
  /** The current numbers, as an object that no longer changes. */
  snapshot(): RateLimitSnapshot;
}
