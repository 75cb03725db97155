// Rate limiters beside each other: what it costs to ask whether one more call is allowed. The limit is never reached.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ThrottlerStorageService } from '@nestjs/throttler';
import Bottleneck from 'bottleneck';
import { RateLimiter as Limiter } from 'limiter';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { systemClock } from '../dist/esm/common/clock.js';
import { RateLimit, ResilienceModule } from '../dist/esm/index.js';
import { RateLimiter } from '../dist/esm/policies/rate-limit/rate-limiter.js';
import { ResilienceEvents } from '../dist/esm/telemetry/resilience-events.js';
import { BookClient } from './contestants/client.mjs';
import { median } from './measure.mjs';

const JOB = 'limit';
const OURS = 'nest-resilience';
const METHOD = `${OURS}, a method with @RateLimit()`;

/** Calls a second. */
const LIMIT = 1_000_000_000;

/** Few keys at a time, as @nestjs/throttler keeps a list of the recent calls of each key. */
const KEYS = Array.from({ length: 1_024 }, (_, index) => `client ${index}`);

class LimitedClient extends BookClient {
  async limited() {
    return this.books;
  }
}
Injectable()(LimitedClient);
const descriptor = Object.getOwnPropertyDescriptor(LimitedClient.prototype, 'limited');
RateLimit(LIMIT)(LimitedClient.prototype, 'limited', descriptor);
Object.defineProperty(LimitedClient.prototype, 'limited', descriptor);

class AppModule {}
Module({ imports: [ResilienceModule.forRoot()], providers: [LimitedClient] })(AppModule);

/** The calls to measure, by `limit/contestant`, as of all other jobs. */
export async function startLimiters() {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const client = app.get(LimitedClient);
  const environment = { clock: systemClock, events: new ResilienceEvents() };
  const ours = new RateLimiter('api', { limit: LIMIT, perMs: 1_000, burst: LIMIT }, environment);
  const limiter = new Limiter({ tokensPerInterval: LIMIT, interval: 'second' });
  const bottleneck = new Bottleneck({
    reservoir: LIMIT,
    reservoirRefreshAmount: LIMIT,
    reservoirRefreshInterval: 1_000,
  });
  const flexible = new RateLimiterMemory({ points: LIMIT, duration: 1 });
  const throttler = new ThrottlerStorageService();
  let turn = 0;
  const contestants = {
    [OURS]: () => ours.take(1, 0, systemClock.now()),
    [METHOD]: () => client.limited(),
    'limiter, tryRemoveTokens': () => limiter.tryRemoveTokens(1),
    'limiter, removeTokens': () => limiter.removeTokens(1),
    bottleneck: () => bottleneck.schedule(() => client.getBooks()),
    'rate-limiter-flexible, memory': () => flexible.consume('client'),
    '@nestjs/throttler, storage': () =>
      throttler.increment(KEYS[turn++ % KEYS.length], 1, LIMIT, 0, 'default'),
  };
  const calls = Object.entries(contestants).map(([name, call]) => [
    `${JOB}/${name}`,
    // One of bottleneck's waits for a timer, so that a batch of many would take most of the time.
    { call, rejects: false, least: name === 'bottleneck' ? 1 : 32 },
  ]);
  return {
    calls: Object.fromEntries(calls),
    async stop() {
      throttler.onApplicationShutdown();
      await bottleneck.disconnect();
      await app.close();
    },
  };
}

/** Medians over the rounds; ratios are computed within each round, as for the other jobs. */
export function summarizeLimiters(times) {
  const ids = Object.keys(times).filter((id) => id.startsWith(`${JOB}/`));
  const others = ids.filter((id) => !id.startsWith(`${JOB}/${OURS}`));
  const best = others.reduce((a, b) => (median(times[b]) < median(times[a]) ? b : a));
  return ids.map((id) => ({
    name: id.slice(JOB.length + 1),
    ns: median(times[id]),
    toBest: median(times[id].map((ns, round) => ns / times[best][round])),
  }));
}

/** The claim about them. */
export function judgeLimiters(limiters) {
  const { toBest } = limiters.find(({ name }) => name === OURS);
  return {
    claim: 'a decision of a rate limit: at most what the best of the other limiters takes',
    holds: toBest <= 1,
    value: Math.round(toBest * 1_000) / 1_000,
  };
}
