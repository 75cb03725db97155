import {
  type BulkheadOptions,
  exponential,
  type ResilienceModuleOptions,
  staleIfError,
} from 'nest-resilience';
import { redisStore } from 'nest-resilience/redis';
import type { JsonLogger } from '#common/json-logger.js';
import { bookKey } from './books/book-key.js';
import type { BooksvcConfig, PolicySettings } from './config.js';

/** The options of the policies, with values from the environment; decorators name the set that they use. */
export function resilienceOptions(
  {
    policies,
    protection,
    fleetRedisUrl,
  }: Pick<BooksvcConfig, 'policies' | 'protection' | 'fleetRedisUrl'>,
  logger: JsonLogger,
): ResilienceModuleOptions {
  const { initialDelay, multiplier, maxDelay, maxRetries } = policies;
  const retry = { maxRetries, backoff: exponential({ initialDelay, multiplier, maxDelay }) };
  const circuitBreaker = {
    consecutiveFailures: policies.failuresToOpen,
    openFor: policies.openFor,
  };
  const bulkhead = bulkheadOptions(policies);
  const attempt = policies.attemptTimeout;
  const fleet = fleetRedisUrl !== undefined;
  return {
    ...(fleet && { store: redisStore({ url: fleetRedisUrl, prefix: 'booksvc:' }) }),
    configs: {
      storagesvc: {
        retry,
        // With a shared store, the first instance that sees an outage opens the circuit of all.
        circuitBreaker: { ...circuitBreaker, ...(fleet && { scope: 'shared' as const }) },
        timeout: { attempt, total: policies.totalTimeout },
        bulkhead,
      },
      // Without retries one attempt is the whole call.
      'circuit-breaker': { circuitBreaker, timeout: { attempt } },
      shippingsvc: { circuitBreaker, timeout: { attempt }, bulkhead },
    },
    overrides: overrides(protection, policies.staleTtl),
    logger: withoutStateChanges(logger),
  };
}

function bulkheadOptions({ maxConcurrent, maxQueue, maxWait }: PolicySettings): BulkheadOptions {
  // The library rejects a `maxWait` without a queue.
  return { maxConcurrent, maxQueue, ...(maxQueue > 0 && { maxWait }) };
}

function overrides(
  protection: BooksvcConfig['protection'],
  ttl: number,
): ResilienceModuleOptions['overrides'] {
  if (protection === 'off') {
    const none = {
      fallback: { enabled: false },
      timeout: { enabled: false },
      retry: { enabled: false },
    } as const;
    return { '*': { ...none, circuitBreaker: { enabled: false }, bulkhead: { enabled: false } } };
  }
  // The decorator contains the fallback with its ttl, so another ttl needs an override.
  const stale = { fallback: { handler: staleIfError({ ttl }) } };
  return {
    ...(protection === 'no-bulkhead' && { '*': { bulkhead: { enabled: false } } }),
    'BooksService.findAllQuickly': stale,
    'BooksService.findAll': stale,
    'BooksController.findOne': { fallback: { handler: staleIfError({ ttl, key: bookKey }) } },
  };
}

/** `ResilienceLog` writes state changes as events, so the library's own lines about them are off. */
function withoutStateChanges(logger: JsonLogger): ResilienceModuleOptions['logger'] {
  const context = 'Resilience';
  return {
    log: () => undefined,
    debug: (message: unknown) => logger.debug(message, context),
    warn: (message: unknown) => {
      if (!/^circuit ".*" is open,/.test(String(message))) logger.warn(message, context);
    },
    error: (message: unknown) => logger.error(message, context),
  };
}
