// npm run bench:telemetry: what exporters add to a call, as shares of the pipeline's own cost.
//
//   node bench/telemetry.mjs [--json] [--check] [--readme] [--rounds 200]
//
// --json prints the results as JSON. --check exits with 1 unless the claims of bench/README.md hold; because of noise it
// measures up to five times, each in a process of its own, before a claim fails, and then prints the last measurement.
// --readme measures in five processes, and puts the medians into bench/README.md.
import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import { BookClient } from './contestants/client.mjs';
import * as settings from './contestants/settings.mjs';
import { measure, median } from './measure.mjs';
import { readOptions, tell } from './options.mjs';
import { setUp } from './setup.mjs';
import { judgeTelemetry, telemetryReport, withTelemetry } from './telemetry-report.mjs';

const MEASUREMENTS = 5;

const JOBS = {
  breaker: 'circuit breaker',
  retry: 'fallback + retry + circuit breaker',
  bulkhead: 'fallback + retry + circuit breaker + timeout + bulkhead',
};

const options = readOptions({ rounds: { type: 'string', default: '200' } });
const rounds = Number(options.rounds);
if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds needs a whole number');

await setUp();
const library = await import('../dist/esm/index.js');
const { ResilienceMetricProducer, ResilienceOpenTelemetryModule } =
  await import('../dist/esm/opentelemetry/index.js');
const { ResiliencePrometheusModule } = await import('../dist/esm/prometheus/index.js');

/** Modules besides the library's own, by their names in the results. */
const exporters = {
  without: () => [],
  'no SDK': () => [ResilienceOpenTelemetryModule.forRoot()],
  Prometheus: () => [ResiliencePrometheusModule.forRoot({ registry: new Registry() })],
  'OpenTelemetry metrics, producer': () => [
    ResilienceOpenTelemetryModule.forRoot({ metricProducer: metricProducer(), spans: false }),
  ],
  'OpenTelemetry metrics, instruments of the SDK': () => [
    ResilienceOpenTelemetryModule.forRoot({ meterProvider: meterProvider(), spans: false }),
  ],
  'OpenTelemetry spans': () => [
    ResilienceOpenTelemetryModule.forRoot({
      tracerProvider: new BasicTracerProvider(),
      metrics: false,
    }),
  ],
};

const results = await (options.check
  ? checkedResults()
  : options.readme
    ? typicalResults()
    : resultsOfOneMeasurement());
const ok = results.checks.every(({ holds }) => holds);
tell(results, options, { report: telemetryReport, withResults: withTelemetry, ok });
process.exit();

/**
 * Of several measurements, until each claim has held in one of them. Each is made by a process of its own, since the same
 * code may be a tenth faster in one than in another, depending on its place in memory.
 */
function checkedResults() {
  const held = new Map();
  let results;
  for (let left = MEASUREMENTS; left > 0; left--) {
    results = resultsOfAnotherProcess();
    for (const check of results.checks) if (check.holds) held.set(check.claim, check);
    if (results.checks.every(({ claim }) => held.has(claim))) break;
  }
  return { ...results, checks: results.checks.map((check) => held.get(check.claim) ?? check) };
}

/** The medians of several processes. */
function typicalResults() {
  const all = Array.from({ length: MEASUREMENTS }, resultsOfAnotherProcess);
  const typical = (of) => median(all.map(of));
  const jobs = all[0].jobs.map((job, at) => ({
    ...job,
    ownNs: typical(({ jobs }) => jobs[at].ownNs),
    exported: job.exported.map(({ exporter }, which) => {
      const share = (key) => typical(({ jobs }) => jobs[at].exported[which][key]);
      return { exporter, ns: share('ns'), ofOwn: share('ofOwn'), ofCall: share('ofCall') };
    }),
  }));
  return { ...all[0], jobs, checks: judgeTelemetry({ jobs }) };
}

function resultsOfAnotherProcess() {
  const args = [fileURLToPath(import.meta.url), '--json', '--rounds', options.rounds];
  const stdio = ['ignore', 'pipe', 'inherit'];
  return JSON.parse(execFileSync(process.execPath, args, { stdio, encoding: 'utf8' }));
}

/** Without a reader it would drop whatever it is given. */
function meterProvider(metricProducers = []) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, metricProducers });
  return new MeterProvider({ readers: [reader] });
}

/** As in an application: a reader collects from it. */
function metricProducer() {
  const producer = new ResilienceMetricProducer();
  meterProvider([producer]);
  return producer;
}

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

/** Differences are taken within each round, of batches that ran one after the other, before their median is taken. */
async function resultsOfOneMeasurement() {
  const calls = await start();
  const entries = Object.entries(calls).map(([id, call]) => [id, { call, rejects: false }]);
  const times = await measure(Object.fromEntries(entries), rounds);
  const added = (id, to) => median(times[id].map((ns, round) => ns - times[to][round]));
  const jobs = Object.entries(JOBS).map(([job, title]) => {
    const without = `${job} without`;
    const callNs = median(times[without]);
    const ownNs = added(without, 'bare');
    const variants = Object.keys(exporters).slice(1);
    const exported = variants.map((exporter) => {
      const ns = added(`${job} ${exporter}`, without);
      return { exporter, ns, ofOwn: ns / ownNs, ofCall: ns / callNs };
    });
    return { title, ownNs, exported };
  });
  const results = { node: process.versions.node, rounds, jobs };
  return { ...results, checks: judgeTelemetry(results) };
}
