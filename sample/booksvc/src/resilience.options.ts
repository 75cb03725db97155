import { exponential, type ResilienceModuleOptions, staleIfError } from 'nest-resilience';
import { bookKey } from './books/book-key.js';
import type { PolicySettings } from './config.js';

/** The values of the environment, in place of those that stand at the decorators. */
export function resilienceOptions(policies: PolicySettings): ResilienceModuleOptions {
  const { initialDelay, multiplier, maxDelay, maxRetries } = policies;
  const ttl = policies.staleTtl;
  const fallback = { handler: staleIfError({ ttl }) };
  const retry = { maxRetries, backoff: exponential({ initialDelay, multiplier, maxDelay }) };
  const circuitBreaker = {
    consecutiveFailures: policies.failuresToOpen,
    openFor: policies.openFor,
  };
  const attempt = policies.attemptTimeout;
  const timeout = { attempt, total: policies.totalTimeout };
  return {
    overrides: {
      'BooksService.withRetry': { retry, timeout },
      'BooksService.withCircuitBreaker': { fallback, circuitBreaker, timeout: { attempt } },
      'BooksService.withAll': { fallback, retry, circuitBreaker, timeout },
      'BooksController.book': {
        fallback: { handler: staleIfError({ ttl, key: bookKey }) },
        retry,
        circuitBreaker,
        timeout,
      },
    },
  };
}
