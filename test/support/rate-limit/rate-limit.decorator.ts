import { type PolicyDecorator, definePolicy } from '../../../src/decorators/define.js';
import { type RateLimitOptions, rateLimitPolicy } from './rate-limit.policy.js';

export function RateLimit(options: number | RateLimitOptions): PolicyDecorator {
  return definePolicy(rateLimitPolicy, rateLimitPolicy.normalize(options));
}
