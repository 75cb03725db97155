// The application that bench/http.mjs measures, in each of its variants.
import 'reflect-metadata';
import { Controller, Get, Inject, Injectable, Module, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { catchError, defer, finalize, of, retry, tap, timeout, timer } from 'rxjs';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  ResilienceModule,
  Retry,
  Timeout,
  fallbackValue,
} from '../../dist/esm/index.js';

const five = [
  Fallback(fallbackValue({ hello: 'nobody' })),
  Retry({ maxRetries: 2 }),
  CircuitBreaker({ name: 'dependency' }),
  Timeout('10s'),
  Bulkhead({ maxConcurrent: 100 }),
];

class Nothing {
  intercept(_context, next) {
    return next.handle();
  }
}

/** The same five policies as a team may write them itself, with the operators of RxJS. */
class ByHand {
  running = 0;
  calls = 0;
  failures = 0;
  longest = 0;
  opensUntil = 0;
  windowEndsAt = 0;

  intercept(_context, next) {
    const attempt = defer(() => {
      const begunAt = performance.now();
      if (begunAt < this.opensUntil) throw new Error('open');
      if (this.running >= 100) throw new Error('full');
      this.running += 1;
      return next.handle().pipe(
        timeout(10_000),
        tap({
          next: () => this.count(begunAt, false),
          error: () => this.count(begunAt, true),
        }),
        finalize(() => (this.running -= 1)),
      );
    });
    return attempt.pipe(
      retry({ count: 2, delay: (_error, count) => timer(500 * 1.5 ** count) }),
      catchError(() => of({ hello: 'nobody' })),
    );
  }

  count(begunAt, failed) {
    const now = performance.now();
    if (now >= this.windowEndsAt) {
      this.windowEndsAt = now + 10_000;
      this.calls = this.failures = this.longest = 0;
    }
    this.calls += 1;
    this.longest = Math.max(this.longest, now - begunAt);
    if (!failed) return;
    this.failures += 1;
    if (this.calls >= 20 && this.failures >= this.calls / 2) this.opensUntil = now + 5_000;
  }
}

/** The decorators of the handler and of the service's method, and whether the library is imported. */
const variants = {
  'not imported': { handler: [], service: [], imported: false },
  imported: { handler: [], service: [], imported: true },
  'an interceptor that does nothing': {
    handler: [UseInterceptors(Nothing)],
    service: [],
    imported: false,
  },
  'five policies on the handler': { handler: five, service: [], imported: true },
  'five policies by hand, as RxJS operators': {
    handler: [UseInterceptors(ByHand)],
    service: [],
    imported: false,
  },
  'five policies on a service': { handler: [], service: five, imported: true },
  'a breaker on a service': { handler: [], service: [five[2]], imported: true },
};

/** @returns the application, not yet listening */
export async function create(platform, variant) {
  const { handler, service, imported } = variants[variant];

  class Greeter {
    async greet() {
      return { hello: 'world' };
    }
  }
  Injectable()(Greeter);
  decorate(Greeter, 'greet', service);

  class Greetings {
    constructor(greeter) {
      this.greeter = greeter;
    }

    get() {
      return this.greeter.greet();
    }
  }
  Controller()(Greetings);
  Inject(Greeter)(Greetings, undefined, 0);
  decorate(Greetings, 'get', [Get(), ...handler]);

  class AppModule {}
  Module({
    imports: imported ? [ResilienceModule.forRoot({ logger: false })] : [],
    controllers: [Greetings],
    providers: [Greeter],
  })(AppModule);

  const adapter =
    platform === 'fastify'
      ? new (await import('@nestjs/platform-fastify')).FastifyAdapter()
      : new (await import('@nestjs/platform-express')).ExpressAdapter();
  return NestFactory.create(AppModule, adapter, { logger: false });
}

/** As TypeScript does; the handler's promise is declared, as `emitDecoratorMetadata` would. */
function decorate({ prototype }, method, decorators) {
  Reflect.defineMetadata('design:returntype', Promise, prototype, method);
  const descriptor = Object.getOwnPropertyDescriptor(prototype, method);
  for (const decorator of decorators.toReversed()) decorator(prototype, method, descriptor);
  Object.defineProperty(prototype, method, descriptor);
}
