// The dual package hazard: an ESM app beside a CommonJS package that requires the library. The service decorated
// by the one copy is protected by the module of the other. Run by `npm run check:package`.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as library from 'nest-resilience';
import type * as Reviews from '../reviews-client/index.js';

const require = createRequire(import.meta.url);
const { ReviewsClient, isRejection } = require('reviews-client') as typeof Reviews;

@Module({ imports: [library.ResilienceModule.forRoot()], providers: [ReviewsClient] })
class AppModule {}

const otherCopy = require('nest-resilience') as typeof library;
assert.notEqual(otherCopy.ResilienceModule, library.ResilienceModule, 'there are two copies');

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const client = app.get(ReviewsClient);

assert.deepEqual(await client.reviews(), ['five stars']);
assert.equal(client.calls, 3, 'the method decorated by the other copy is retried');

const attempt = () => client.ratings().catch((error: unknown) => error);
await attempt();
const rejection = await attempt();
assert.ok(library.isResilienceError(rejection, 'CIRCUIT_OPEN'), 'rejected, and known to this copy');
assert.ok(isRejection(rejection), 'and to the other copy');
assert.equal(app.get(library.CircuitBreakerRegistry).get('ratings')?.state, 'open');
assert.equal(
  app.get(otherCopy.CIRCUIT_BREAKER_REGISTRY),
  app.get(library.CircuitBreakerRegistry),
  'the other copy finds the registry by its token',
);
assert.equal(app.get(otherCopy.RESILIENCE_EVENTS), app.get(library.ResilienceEvents));

await app.close();
