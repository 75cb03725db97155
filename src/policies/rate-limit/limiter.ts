import type { RateLimiter } from './rate-limiter.js';
import type { SharedRateLimiter } from './shared-rate-limiter.js';

/** A limit of this process, or of all instances of the application. */
export type Limiter = RateLimiter | SharedRateLimiter;
