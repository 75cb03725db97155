import type { RateLimitOptions } from '../policies/rate-limit/options.js';
import { rateLimitPolicy } from '../policies/rate-limit/rate-limit.policy.js';
import { type PolicyDecorator, definePolicy } from './define.js';

/**
 * Limits the rate at which calls begin, evenly and with bursts: for a dependency with a quota, or against a client that
 * calls too often. Each attempt counts.
 *
 * Default: 100 per second, and no wait: further calls are rejected at once with a `RateLimitedError` (429). With `maxWait`
 * they wait for their turn.
 *
 * @param options how many calls per second, or options
 *
 * @example
 * \@RateLimit({ name: 'storagesvc', limit: 100, per: '1s', burst: 20, maxWait: '500ms' })
 */
export function RateLimit(options?: number | RateLimitOptions): PolicyDecorator;
export function RateLimit(...given: unknown[]): PolicyDecorator {
  return definePolicy(rateLimitPolicy, given);
}
