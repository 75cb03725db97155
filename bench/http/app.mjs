// The application that bench/http.mjs measures, in each of its variants.
import 'reflect-metadata';
import { Controller, Get, Inject, Injectable, Module, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
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
