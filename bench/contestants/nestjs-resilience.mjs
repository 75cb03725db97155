import 'reflect-metadata';
import { createRequire } from 'node:module';
import { BookClient, openCircuit } from './client.mjs';
import * as settings from './settings.mjs';

// Older than Nest 12, but its decorator needs no application and little of Nest, so it runs.
const {
  BulkheadStrategy,
  CircuitBreakerStrategy,
  ExponentialBackoff,
  FallbackStrategy,
  RetryStrategy,
  TimeoutStrategy,
  UseResilience,
} = createRequire(import.meta.url)('nestjs-resilience');

const fallback = () => new FallbackStrategy(() => settings.noBooks);

function retry() {
  const { maxRetries, maxDelay } = settings.retry;
  return new RetryStrategy({ maxRetries, maxDelay, backoff: ExponentialBackoff });
}

function breaker({ window, failureRate, minimumCalls, openFor } = settings.breaker) {
  return new CircuitBreakerStrategy({
    rollingWindowInMilliseconds: window,
    errorThresholdPercentage: failureRate * 100,
    requestVolumeThreshold: minimumCalls,
    sleepWindowInMilliseconds: openFor,
  });
}

const timeout = () => new TimeoutStrategy(settings.timeout);

function bulkhead({ maxConcurrent, maxQueue } = settings.bulkhead) {
  return new BulkheadStrategy({ maxConcurrent, maxQueue });
}

export const name = 'nestjs-resilience';

export async function start() {
  class BookService extends BookClient {
    async rejected() {
      return this.getBooks();
    }
  }
  const { prototype } = BookService;
  const under = (method, ...outermostFirst) => {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, method) ?? {
      configurable: true,
      writable: true,
      async value() {
        return this.books;
      },
    };
    // It applies them in the order given, so the innermost comes first.
    UseResilience(...outermostFirst.toReversed())(prototype, method, descriptor);
    Object.defineProperty(prototype, method, descriptor);
  };
  under('withBreaker', breaker());
  under('withRetry', fallback(), retry(), breaker());
  under('withTimeout', fallback(), retry(), breaker(), timeout());
  under('withBulkhead', fallback(), retry(), breaker(), timeout(), bulkhead());
  under('rejected', breaker(settings.foreverOpen));
  const service = new BookService();
  await openCircuit(service, () => service.rejected());
  return {
    calls: {
      breaker: { [name]: () => service.withBreaker() },
      retry: { [name]: () => service.withRetry() },
      timeout: { [name]: () => service.withTimeout() },
      bulkhead: { [name]: () => service.withBulkhead() },
      rejected: { [name]: () => service.rejected() },
    },
    stop() {},
  };
}
