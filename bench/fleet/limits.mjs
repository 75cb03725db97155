// Decisions of a limit that all instances share, in Redis, beside those of rate-limiter-flexible.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { RateLimit, ResilienceModule } from '../../dist/esm/index.js';
import { redisStore } from '../../dist/esm/redis/index.js';
import { BookClient } from '../contestants/client.mjs';
import { measure, median } from '../measure.mjs';

/** Calls a second: never reached, and reached at once. */
const LIMITS = { allowed: 1_000_000_000, refused: 1 };

/** How long a limit stays exhausted once it is reached, seconds. */
const LONG = 3_600;

/** As many decisions at a time as a busy process may ask for. */
const AT_ONCE = 100;

const COUNTED = 1_000;

/** @returns for each load, each limiter's decisions a second, also as a share of the other's, and its commands */
export async function measureLimits(rounds, redis) {
  const clients = [redis.connect(), redis.connect()];
  const { client, stop } = await startOurs(redisStore({ client: clients[0] }));
  const decide = {
    'nest-resilience': { allowed: () => client.allowed(), refused: () => client.refused() },
    'rate-limiter-flexible': flexible(clients[1]),
    'rate-limiter-flexible, blocking in memory': flexible(clients[1], {
      keyPrefix: 'blocking',
      inMemoryBlockOnConsumed: LIMITS.refused,
    }),
  };
  try {
    return await measureLoads(rounds, redis, decide);
  } finally {
    await stop();
    for (const each of clients) each.disconnect();
  }
}

async function measureLoads(rounds, redis, decide) {
  // The first decision exhausts this limit; all later ones are refused.
  for (const each of Object.values(decide)) await each.refused().catch(() => {});
  const calls = {};
  for (const [name, { allowed, refused }] of Object.entries(decide)) {
    const atOnce = () => Promise.all(Array.from({ length: AT_ONCE }, allowed));
    if (!name.endsWith('memory')) {
      calls[`one at a time/${name}`] = { call: allowed, rejects: false, least: 1 };
      calls[`${AT_ONCE} at a time/${name}`] = { call: atOnce, rejects: false, least: 1 };
    }
    calls[`refused/${name}`] = { call: refused, rejects: true, least: 1 };
  }
  const times = await measure(calls, rounds);
  const limits = [];
  for (const [id, { call }] of Object.entries(calls)) {
    const [load, name] = id.split('/');
    const decisions = load.startsWith(AT_ONCE) ? AT_ONCE : 1;
    const yardstick = times[`${load}/rate-limiter-flexible`];
    limits.push({
      load,
      name,
      perSecond: (decisions * 1e9) / median(times[id]),
      toOther: median(times[id].map((ns, round) => yardstick[round] / ns)),
      ...(await commandsOf(call, decisions, redis)),
    });
  }
  return limits;
}

/** `sent`: by the client; `run`: by the server, in scripts too. Per decision. */
async function commandsOf(call, decisions, redis) {
  const times = COUNTED / decisions;
  const commands = await redis.commandsOf(async () => {
    for (let i = 0; i < times; i++) await call().catch(() => {});
  });
  const scripts = (commands.evalsha ?? 0) + (commands.eval ?? 0);
  const all = Object.values(commands).reduce((a, b) => a + b, 0);
  return { sent: scripts / COUNTED, run: (all - scripts) / COUNTED };
}

function flexible(storeClient, more = {}) {
  const allowing = new RateLimiterRedis({ storeClient, points: LIMITS.allowed, duration: 1 });
  const refusing = new RateLimiterRedis({
    storeClient,
    points: LIMITS.refused,
    duration: LONG,
    ...more,
  });
  return {
    allowed: () => allowing.consume('allowed'),
    refused: () => refusing.consume('refused'),
  };
}

/** As an application uses it: methods with `@RateLimit()`, which decides and then runs the method. */
async function startOurs(store) {
  class LimitedClient extends BookClient {
    async allowed() {
      return this.books;
    }

    async refused() {
      return this.books;
    }
  }
  Injectable()(LimitedClient);
  const periods = { allowed: '1s', refused: `${LONG}s` };
  for (const [method, limit] of Object.entries(LIMITS)) {
    const descriptor = Object.getOwnPropertyDescriptor(LimitedClient.prototype, method);
    RateLimit({ name: method, limit, per: periods[method], scope: 'shared' })(
      LimitedClient.prototype,
      method,
      descriptor,
    );
    Object.defineProperty(LimitedClient.prototype, method, descriptor);
  }
  class AppModule {}
  // An answer counts, however late it comes.
  const fleet = { callTimeout: '5s', pollInterval: '1h', activePollInterval: '1h' };
  const imports = [ResilienceModule.forRoot({ store, fleet })];
  Module({ imports, providers: [LimitedClient] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  return { client: app.get(LimitedClient), stop: () => app.close() };
}
