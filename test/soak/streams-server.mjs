// Streams of every kind, in a process of their own: node --expose-gc test/soak/streams-server.mjs express|fastify
import { Readable } from 'node:stream';
import { Controller, Get, Injectable, Module, Query, Sse, StreamableFile } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Args, GraphQLModule, Query as Ask, Resolver, Subscription } from '@nestjs/graphql';
import {
  Bulkhead,
  BulkheadRegistry,
  CircuitBreaker,
  CircuitBreakerRegistry,
  ResilienceModule,
  Retry,
  Signal,
  Timeout,
  constant,
} from 'nest-resilience';
import { Observable, from, map } from 'rxjs';
import { decorate, inject } from './decorate.mjs';
import { measure } from './measure.mjs';

const platform = process.argv[2];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** How many streams of each kind have begun, and how many of them have not ended. */
const begun = {};
const open = {};

/** Requests whose first attempt has failed. */
const failedOnce = new Set();

/** `how` is the request's number and the wish of its client, such as `17-breaks`. */
function failFirst(kind, how) {
  const request = `${kind} ${how}`;
  if (!how.endsWith('retried') || failedOnce.delete(request)) return;
  failedOnce.add(request);
  throw new Error('down');
}

/** Kinds whose method fails before there is a stream. */
const FAIL_BEFORE = ['file', 'iterated'];

/** Numbers from 0 on, without end unless it breaks. */
async function* numbers(kind, how) {
  if (!FAIL_BEFORE.includes(kind)) failFirst(kind, how);
  begun[kind] = (begun[kind] ?? 0) + 1;
  open[kind] = (open[kind] ?? 0) + 1;
  try {
    if (how.endsWith('early')) await pause(4);
    for (let n = 0; ; n++) {
      if (n === 2 && how.endsWith('breaks')) throw new Error('midway');
      yield n;
      await pause(2);
    }
  } finally {
    open[kind] -= 1;
  }
}

/** Numbers as an Observable, or as an iterator that is not a generator. */
function observe(kind, how) {
  return new Observable((subscriber) => {
    const source = numbers(kind, how);
    const listen = async () => {
      for await (const n of source) {
        if (subscriber.closed) return;
        subscriber.next(n);
      }
    };
    listen().catch((error) => subscriber.error(error));
    return () => void source.return();
  });
}

const policies = (kind) => [
  Retry({ maxRetries: 2, backoff: constant(1) }),
  CircuitBreaker({ name: kind, failureRate: 1, minimumCalls: 1_000_000, window: '1h' }),
  Timeout({ attempt: '10s', total: '30s' }),
  Bulkhead({ name: kind, maxConcurrent: 500 }),
];

const event = (n) => ({ data: `#${n};` });

class Shop {
  async *items(how, _signal) {
    yield* numbers('service', how);
  }
}
Signal()(Shop.prototype, 'items', 1);
decorate(Shop, 'items', policies('service'), { returns: Object });
inject(Shop, [Injectable()]);

class Streams {
  constructor(shop) {
    this.shop = shop;
  }
  sse(how) {
    return observe('sse', how).pipe(map(event));
  }
  async *generator(how) {
    for await (const n of numbers('generator', how)) yield `#${n};`;
  }
  service(how, signal) {
    return from(this.shop.items(how, signal)).pipe(map(event));
  }
  async file(how) {
    failFirst('file', how);
    return new StreamableFile(Readable.from(this.chunks(how), { highWaterMark: 1 }));
  }
  async *chunks(how) {
    for await (const n of numbers('file', how)) yield Buffer.from(`#${n};`);
  }
}
for (const name of ['sse', 'generator', 'service', 'file']) {
  Query('how')(Streams.prototype, name, 0);
}
Signal()(Streams.prototype, 'service', 1);
decorate(Streams, 'sse', [Sse('sse'), ...policies('sse')], { returns: Observable });
decorate(Streams, 'generator', [Get('generator'), ...policies('generator')], { returns: Object });
decorate(Streams, 'service', [Sse('service')], { returns: Observable });
decorate(Streams, 'file', [Get('file'), ...policies('file')]);
inject(Streams, [Controller()], [Shop]);

class Events {
  nothing() {
    return '';
  }
  async *generated(how) {
    for await (const n of numbers('generated', how)) yield { generated: `#${n};` };
  }
  async iterated(how) {
    failFirst('iterated', how);
    const source = numbers('iterated', how);
    const shown = ({ value, done }) => ({ value: done ? value : { iterated: `#${value};` }, done });
    return {
      next: () => source.next().then(shown),
      return: () => source.return(),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
const text = () => String;
decorate(Events, 'nothing', [Ask(text)], { returns: String });
for (const name of ['generated', 'iterated']) {
  Args('how', { type: text })(Events.prototype, name, 0);
  decorate(Events, name, [Subscription(text), ...policies(name)], {
    returns: Object,
    parameters: [String],
  });
}
inject(Events, [Resolver()]);

const graphql =
  platform === 'fastify'
    ? { driver: (await import('@nestjs/mercurius')).MercuriusDriver, subscription: true }
    : {
        driver: (await import('@nestjs/apollo')).ApolloDriver,
        subscriptions: { 'graphql-ws': true },
      };
class App {}
Module({
  imports: [
    ResilienceModule.forRoot({ logger: false }),
    GraphQLModule.forRoot({ ...graphql, autoSchemaFile: true, graphiql: false, playground: false }),
  ],
  controllers: [Streams],
  providers: [Shop, Events],
})(App);

const adapter =
  platform === 'fastify'
    ? new (await import('@nestjs/platform-fastify')).FastifyAdapter()
    : new (await import('@nestjs/platform-express')).ExpressAdapter();
const app = await NestFactory.create(App, adapter, { logger: false });
await app.listen(0, '127.0.0.1');

/** The leftovers of streams whose clients have gone, once everything has ended. */
async function leftovers() {
  for (let wait = 0; wait < 200 && Object.values(open).some((count) => count > 0); wait++) {
    await pause(10);
  }
  await pause(20);
  return Object.keys(begun).map((kind) => ({
    kind,
    begun: begun[kind],
    open: open[kind],
    counts: app.get(CircuitBreakerRegistry).get(kind).counts,
    running: app.get(BulkheadRegistry).get(kind).running,
    half: [...failedOnce].filter((request) => request.startsWith(kind)).length,
  }));
}

process.on('message', async (message) => {
  if (message === 'measure') process.send({ left: await leftovers(), sample: await measure() });
  else await app.close().then(() => process.disconnect());
});
process.send({ port: app.getHttpServer().address().port });
