// npm run bench:telemetry: what exporters add to a call, as shares of the pipeline's own cost.
//
//   node bench/telemetry.mjs [--check] [--rounds 200]
//
// --check exits with 1 unless the exporters cost nothing when nobody asked for anything, and metrics at most as much as
// docs/observability.md claims; because of noise it measures up to five times before a claim fails.
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import { BookClient } from './contestants/client.mjs';
import * as settings from './contestants/settings.mjs';
import { measure, median } from './measure.mjs';
import { setUp } from './setup.mjs';

const MEASUREMENTS = 5;

/** How much dearer a call may be when nothing is exported, as a share of its time. */
const NOTHING = 0.03;

/** How much metrics may add, as a share of the pipeline's own cost. */
const METRICS = 0.3;

const JOBS = {
  breaker: 'circuit breaker',
  retry: 'fallback + retry + circuit breaker',
  bulkhead: 'fallback + retry + circuit breaker + timeout + bulkhead',
};

const { values: options } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '200' },
  },
});

await setUp();
const library = await import('../dist/esm/index.js');
const { ResilienceOpenTelemetryModule } = await import('../dist/esm/opentelemetry/index.js');
const { ResiliencePrometheusModule } = await import('../dist/esm/prometheus/index.js');

/** Modules beside the library's own, by what they are called in the results. */
const exporters = {
  without: () => [],
  'no SDK': () => [ResilienceOpenTelemetryModule.forRoot()],
  Prometheus: () => [ResiliencePrometheusModule.forRoot({ registry: new Registry() })],
  'OpenTelemetry metrics': () => [
    ResilienceOpenTelemetryModule.forRoot({ meterProvider: new MeterProvider(), spans: false }),
  ],
  'OpenTelemetry spans': () => [
    ResilienceOpenTelemetryModule.forRoot({
      tracerProvider: new BasicTracerProvider(),
      metrics: false,
    }),
  ],
};

const calls = await start();
let failed;
for (let left = options.check ? MEASUREMENTS : 1; left > 0; left--) {
  const found = await run();
  failed = failed === undefined ? found : failed.filter((claim) => found.includes(claim));
  if (failed.length === 0) break;
}
for (const claim of failed) console.log(`does not hold: ${claim}`);
process.exit(options.check && failed.length > 0 ? 1 : 0);

/** An application for each exporter, with the same class. */
async function start() {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const bare = new BookClient();
  const started = { bare: () => bare.getBooks() };
  const BookService = protectedClient();
  for (const [exporter, modules] of Object.entries(exporters)) {
    class AppModule {}
    Module({
      imports: [library.ResilienceModule.forRoot(), ...modules()],
      providers: [BookService],
    })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const service = app.get(BookService);
    for (const job of Object.keys(JOBS)) started[`${job} ${exporter}`] = () => service[job]();
  }
  return started;
}

function protectedClient() {
  class BookService extends BookClient {
    async breaker() {
      return this.books;
    }

    async retry() {
      return this.books;
    }

    async bulkhead() {
      return this.books;
    }
  }
  const { maxRetries, ...delays } = settings.retry;
  const fallback = library.Fallback(library.fallbackValue(settings.noBooks));
  const retry = library.Retry({ maxRetries, backoff: library.exponential(delays) });
  const breaker = library.CircuitBreaker(settings.breaker);
  const decorators = {
    breaker: [breaker],
    retry: [fallback, retry, breaker],
    bulkhead: [
      fallback,
      retry,
      breaker,
      library.Timeout(settings.timeout),
      library.Bulkhead(settings.bulkhead),
    ],
  };
  Injectable()(BookService);
  for (const [method, list] of Object.entries(decorators)) {
    const descriptor = Object.getOwnPropertyDescriptor(BookService.prototype, method);
    for (const decorator of list) decorator(BookService.prototype, method, descriptor);
    Object.defineProperty(BookService.prototype, method, descriptor);
  }
  return BookService;
}

/** @returns the claims that do not hold */
async function run() {
  const entries = Object.entries(calls).map(([id, call]) => [id, { call, rejects: false }]);
  const times = await measure(Object.fromEntries(entries), Number(options.rounds));
  const ns = (id) => median(times[id]);
  const wrong = [];
  for (const [job, title] of Object.entries(JOBS)) {
    const without = ns(`${job} without`);
    const own = without - ns('bare');
    console.log(`${title}: the pipeline costs ${own.toFixed(0)} ns`);
    for (const exporter of Object.keys(exporters).slice(1)) {
      const more = ns(`${job} ${exporter}`) - without;
      const share = (more / own) * 100;
      console.log(
        `  ${exporter.padEnd(22)} ${more.toFixed(0).padStart(6)} ns more, ${share.toFixed(0)} %`,
      );
      const dear =
        exporter === 'no SDK'
          ? more / without > NOTHING
          : exporter === 'Prometheus' && more / own > METRICS;
      if (dear) wrong.push(`${title}, ${exporter}`);
    }
  }
  return wrong;
}
