import type { RetryOptions } from '../policies/retry/options.js';
import { retryPolicy } from '../policies/retry/retry.policy.js';
import { type PolicyDecorator, definePolicy } from './define.js';

/**
 * Tries again when the method fails, after a wait that grows.
 *
 * Default: 3 retries after about 0.5, 0.75 and 1.1 s. Not retried are errors that another attempt cannot improve
 * (4xx but 408, 425, 429; validation; programmer errors) and rejections of our own, an open circuit among them.
 * When it gives up, the last error of the method is thrown as it is.
 *
 * @example
 * \@Retry({ maxRetries: 5, backoff: exponential({ initialDelay: '200ms', jitter: 'full' }) })
 */
export function Retry(options: RetryOptions = {}): PolicyDecorator {
  return definePolicy(retryPolicy, options);
}
