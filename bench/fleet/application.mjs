import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CircuitBreaker, CircuitBreakerRegistry, ResilienceModule } from '../../dist/esm/index.js';
import { BookClient } from '../contestants/client.mjs';
import * as settings from '../contestants/settings.mjs';

/** The only turn in the background is the one at the start. */
const AT_REST = { pollInterval: '1h', activePollInterval: '1h', callTimeout: '5s' };

/**
 * An application whose client has a circuit breaker, which is shared if there is a store.
 *
 * @returns `{ client, breaker, stop }`
 */
export async function startApplication(store) {
  class ProtectedClient extends BookClient {
    async getBooks() {
      return super.getBooks();
    }
  }
  const { prototype } = ProtectedClient;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, 'getBooks');
  const scope = store === undefined ? 'local' : 'shared';
  CircuitBreaker({ name: 'storagesvc', ...settings.breaker, scope })(
    prototype,
    'getBooks',
    descriptor,
  );
  Object.defineProperty(prototype, 'getBooks', descriptor);
  Injectable()(ProtectedClient);

  class AppModule {}
  const shared = store === undefined ? {} : { store, fleet: AT_REST };
  Module({ imports: [ResilienceModule.forRoot(shared)], providers: [ProtectedClient] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  return {
    client: app.get(ProtectedClient),
    breaker: app.get(CircuitBreakerRegistry).get('storagesvc'),
    stop: () => app.close(),
  };
}
