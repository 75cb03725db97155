import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  ResilienceModule,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
  exponential,
  fallbackValue,
} from '../../dist/esm/index.js'; // not by its name, which cannot be resolved in this folder's own package
import { BookClient, openCircuit } from './client.mjs';
import * as settings from './settings.mjs';

/** As an application uses it: a provider of a Nest application, with decorators. */
class BookService extends BookClient {
  async withBreaker() {
    return this.books;
  }

  /** For equal work: the others do not detect calls that hang. */
  async withBreakerAlike() {
    return this.books;
  }

  async withRetry() {
    return this.books;
  }

  async withTimeout() {
    return this.books;
  }

  async withBulkhead() {
    return this.books;
  }

  async withSignal(_signal) {
    return this.books;
  }

  async rejected() {
    return this.getBooks();
  }
}

const { maxRetries, ...delays } = settings.retry;
const fallback = Fallback(fallbackValue(settings.noBooks));
const retry = Retry({ maxRetries, backoff: exponential(delays) });
const breaker = (name, options) => CircuitBreaker({ name, ...options });
const timeout = Timeout(settings.timeout);
const bulkhead = (name) => Bulkhead({ name, ...settings.bulkhead });

Injectable()(BookService);
decorate('withBreaker', breaker('breaker', settings.breaker));
decorate('withBreakerAlike', breaker('alike', { ...settings.breaker, maxCallDuration: Infinity }));
decorate('withRetry', fallback, retry, breaker('retry', settings.breaker));
decorate('withTimeout', fallback, retry, breaker('timeout', settings.breaker), timeout);
decorate(
  'withBulkhead',
  fallback,
  retry,
  breaker('bulkhead', settings.breaker),
  timeout,
  bulkhead('bulkhead'),
);
Signal()(BookService.prototype, 'withSignal', 0);
decorate('withSignal', fallback, retry, breaker('signal', settings.breaker), timeout);
decorate('rejected', breaker('rejected', settings.foreverOpen));

class AppModule {}
Module({ imports: [ResilienceModule.forRoot()], providers: [BookService] })(AppModule);

export const name = 'nest-resilience';

export async function start() {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const service = app.get(BookService);
  await openCircuit(service, () => service.rejected());
  const resilience = app.get(ResilienceService);
  const policies = {
    retry: { maxRetries, backoff: exponential(delays) },
    circuitBreaker: settings.breaker,
    timeout: settings.timeout,
    bulkhead: settings.bulkhead,
  };
  const client = new BookClient();
  const command = resilience.command('command', {
    run: () => client.getBooks(),
    fallback: fallbackValue(settings.noBooks),
    ...policies,
  });
  const pipeline = resilience.pipeline('pipeline', {
    fallback: fallbackValue(settings.noBooks),
    ...policies,
  });
  return {
    calls: {
      breaker: {
        [name]: () => service.withBreakerAlike(),
        [`${name}, noticing hangs`]: () => service.withBreaker(),
      },
      retry: { [name]: () => service.withRetry() },
      timeout: { [name]: () => service.withTimeout() },
      bulkhead: {
        [name]: () => service.withBulkhead(),
        [`${name}, command`]: () => command.execute(),
        [`${name}, pipeline`]: () => pipeline.execute(() => client.getBooks()),
      },
      rejected: { [name]: () => service.rejected() },
    },
    /** Not measured, only counted: makes an AbortController per call, because it has a signal. */
    withSignal: () => service.withSignal(),
    stop: () => app.close(),
  };
}

/** Applies decorators to a method as TypeScript does; the first is the uppermost. */
function decorate(method, ...decorators) {
  const { prototype } = BookService;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, method);
  for (const decorator of decorators.toReversed()) decorator(prototype, method, descriptor);
  Object.defineProperty(prototype, method, descriptor);
}
