import type { RetryOptions } from '../policies/retry/options.js';
import { retryPolicy } from '../policies/retry/retry.policy.js';
import { type PolicyDecorator, definePolicy } from './define.js';

/**
 * Calls the method again when it fails, after a growing delay.
 *
 * Default: 3 retries after about 0.5, 0.75 and 1.1 s. Errors that another attempt cannot improve (3xx and 4xx except 408,
 * 425, 429; validation; programmer errors) and our own rejections other than timeouts are not retried. When the retries
 * are exhausted, the last error of the method is thrown unchanged.
 *
 * @example
 * \@Retry({ maxRetries: 5, backoff: exponential({ initialDelay: '200ms', jitter: 'full' }) })
 */
export function Retry(options?: RetryOptions): PolicyDecorator;
export function Retry(...given: unknown[]): PolicyDecorator {
  return definePolicy(retryPolicy, given);
}
