// Calls of all kinds, as many as are wanted, in one application: node --expose-gc test/soak/calls.mjs 2000000
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  ResilienceEvents,
  ResilienceModule,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
  constant,
  staleIfError,
  fallbackValue,
} from 'nest-resilience';
import { decorate, inject } from './decorate.mjs';
import { conclude, line, measure } from './measure.mjs';

const CALLS = Number(process.argv[2] ?? 2_000_000);
const WORKERS = 100;
const SAMPLES = 8;

// Traces of errors would be most of what is measured.
Error.stackTraceLimit = 0;

/** As many keys and questions as there ever are. */
const KEYS = 500;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const down = new Error('down');

/** Something that fails in its own way. */
async function work(i) {
  if (i % 7 === 3) throw new Error(`down ${i}`);
  if (i % 31 === 5) throw down;
  if (i % 50 === 1) await new Promise((resolve) => setImmediate(resolve));
  return { i };
}

class Shop {
  async plain(i) {
    return work(i);
  }
  async full(i, _signal) {
    if (i % 997 === 0) await pause(40); // longer than any call waits
    return work(i);
  }
  async byKey(i, _key) {
    return work(i);
  }
  async kept(i, _key) {
    return work(i);
  }
  async *items(i) {
    yield await work(i);
    yield i;
  }
}

const breaker = { failureRate: 0.9, minimumCalls: 50, openFor: 5 };
const retry = { maxRetries: 2, backoff: constant(0) };
decorate(Shop, 'plain', [Retry(retry), CircuitBreaker({ name: 'plain', ...breaker })]);
Signal()(Shop.prototype, 'full', 1);
decorate(Shop, 'full', [
  Fallback(fallbackValue('spare')),
  Retry(retry),
  CircuitBreaker({ name: 'full', ...breaker }),
  Timeout({ attempt: 20, total: 200 }),
  Bulkhead({ maxConcurrent: 50, maxQueue: 100, maxWait: 50 }),
]);
decorate(Shop, 'byKey', [
  CircuitBreaker({ name: 'keyed', ...breaker, key: (_i, key) => key, maxKeys: 200 }),
]);
decorate(Shop, 'kept', [Fallback(staleIfError({ ttl: '1m', key: (_i, key) => key }))]);
decorate(Shop, 'items', [Retry(retry), Timeout('1s')], { returns: Object });
inject(Shop, [Injectable()]);

const entries = new Map();
const cache = {
  get: async (key) => entries.get(key),
  set: async (key, entry) => void entries.set(key, entry),
};

class App {}
Module({
  imports: [ResilienceModule.forRoot({ logger: false })],
  providers: [Shop, { provide: 'CACHE_MANAGER', useValue: cache }],
})(App);

const app = await NestFactory.createApplicationContext(App, { logger: false });
const shop = app.get(Shop);
const service = app.get(ResilienceService);
const command = service.command('books', {
  run: async (_context, i) => work(i),
  fallback: (_context, i) => ({ spare: i }),
  retry,
  circuitBreaker: { name: 'books', ...breaker },
  bulkhead: { maxConcurrent: 20, maxQueue: 20 },
  timeout: '1s',
});
const pipeline = service.pipeline('code', { retry, timeout: '1s' });

/** Lives as long as the application, and goes with many calls. */
const { signal } = new AbortController();

const kinds = [
  (i) => shop.plain(i),
  (i) => shop.full(i, i % 2 === 0 ? signal : undefined),
  (i) => shop.byKey(i, `host-${i % KEYS}`),
  (i) => shop.kept(i, `question-${i % KEYS}`),
  (i) => command.execute(i),
  (i) => {
    const handle = command.queue(i);
    if (i % 5 === 0) handle.cancel();
    return handle.result;
  },
  (i) => pipeline.execute(() => work(i), { signal }),
  (i) =>
    new Promise((resolve) => {
      const subscription = command.observe(i).subscribe({ complete: resolve, error: resolve });
      if (i % 3 === 0) resolve(subscription.unsubscribe());
    }),
  async (i) => {
    for await (const _item of shop.items(i)) if (i % 2 === 0) break;
  },
];

let made = 0;
const samples = [];
const sampleEvery = Math.ceil(CALLS / SAMPLES);

async function worker(until) {
  while (made < until) {
    const i = made++;
    try {
      await kinds[i % kinds.length](i);
    } catch {
      // half of it is meant to fail
    }
  }
}

for (let until = sampleEvery; made < CALLS; until += sampleEvery) {
  // Half of the time there is a listener to everything.
  const stop = samples.length % 2 === 0 ? app.get(ResilienceEvents).subscribe(() => {}) : () => {};
  await Promise.all(Array.from({ length: WORKERS }, () => worker(Math.min(until, CALLS))));
  stop();
  const sample = await measure({ 'listeners of the signal': { target: signal, event: 'abort' } });
  samples.push(sample);
  console.log(`${String(made).padStart(8)} calls: ${line(sample)}`);
}
await app.close();
conclude('calls', samples);
