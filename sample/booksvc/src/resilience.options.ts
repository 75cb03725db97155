import { exponential, type ResilienceModuleOptions, staleIfError } from 'nest-resilience';
import type { JsonLogger } from '../../common/src/json-logger.js';
import { bookKey } from './books/book-key.js';
import type { PolicySettings } from './config.js';

/** The values of the policies, which come from the environment; decorators name the set that they use. */
export function resilienceOptions(
  policies: PolicySettings,
  logger: JsonLogger,
): ResilienceModuleOptions {
  const { initialDelay, multiplier, maxDelay, maxRetries } = policies;
  const retry = { maxRetries, backoff: exponential({ initialDelay, multiplier, maxDelay }) };
  const circuitBreaker = {
    consecutiveFailures: policies.failuresToOpen,
    openFor: policies.openFor,
  };
  const attempt = policies.attemptTimeout;
  const ttl = policies.staleTtl;
  const stale = { fallback: { handler: staleIfError({ ttl }) } };
  return {
    configs: {
      storagesvc: { retry, circuitBreaker, timeout: { attempt, total: policies.totalTimeout } },
      // Without retries one attempt is the whole call.
      'circuit-breaker': { circuitBreaker, timeout: { attempt } },
    },
    // What answers stands at the decorator, and so does its time to live: a configuration cannot change it.
    overrides: {
      'BooksService.withCircuitBreaker': stale,
      'BooksService.withAll': stale,
      'BooksController.book': { fallback: { handler: staleIfError({ ttl, key: bookKey }) } },
    },
    logger: withoutStateChanges(logger),
  };
}

/** Changes of state are events, which `ResilienceLog` writes; the library need not tell them again as text. */
function withoutStateChanges(logger: JsonLogger): ResilienceModuleOptions['logger'] {
  const context = 'Resilience';
  return {
    log: () => undefined,
    debug: (message: unknown) => logger.debug(message, context),
    warn: (message: unknown) => logger.warn(message, context),
    error: (message: unknown) => logger.error(message, context),
  };
}
