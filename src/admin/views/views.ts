import type { AdminRateLimit, AdminRecentCalls } from '../contract.js';
import type { BreakerViews } from './breaker-view.js';
import type { FleetViews } from './fleet-views.js';
import { rateLimitView } from './other-views.js';
import type { RateLimitPart } from './parts.js';

/** Views of parts whose numbers alone do not say everything. */
export interface Views {
  readonly breakers: BreakerViews;
  readonly rateLimits: RateLimitViews;
  /** `undefined` without a store. */
  readonly fleet: FleetViews | undefined;
}

/** Makes views of rate limits, with what is known of their last minute. */
export class RateLimitViews {
  constructor(private readonly recentOf: (name: string) => AdminRecentCalls | undefined) {}

  view(part: RateLimitPart, group?: string): AdminRateLimit {
    return rateLimitView(part.snapshot(), this.recentOf(part.name), group);
  }
}
