import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BulkheadRegistry,
  CircuitBreakerRegistry,
  ResilienceModule,
  ResilienceService,
} from '../../dist/esm/index.js';

/** An application with the module, its service and its registries. */
export async function start(options = {}) {
  class Application {}
  Module({ imports: [ResilienceModule.forRoot(options)] })(Application);
  const app = await NestFactory.createApplicationContext(Application, { logger: false });
  return {
    service: app.get(ResilienceService),
    registry: app.get(CircuitBreakerRegistry),
    bulkheads: app.get(BulkheadRegistry),
    close: () => app.close(),
  };
}

/** A command with a breaker by key: `execute(key)` uses the breaker of the key. */
export function byKey(service, count) {
  return service.command('tenant', {
    run: async () => 'ok',
    circuitBreaker: { key: (key) => key, maxKeys: count },
  });
}
