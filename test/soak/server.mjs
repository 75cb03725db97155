// An application under load, in a process of its own: node --expose-gc test/soak/server.mjs express|fastify
import { Controller, Get, Injectable, Module, Post, Body } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  ResilienceModule,
  Retry,
  Signal,
  Timeout,
  constant,
  fallbackValue,
} from 'nest-resilience';
import { from, concatMap, timer, map } from 'rxjs';
import { decorate, inject } from './decorate.mjs';
import { measure } from './measure.mjs';

const platform = process.argv[2];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Storage {
  async books(n) {
    if (n % 9 === 0) throw new Error('down');
    if (n % 3 === 0) await pause(n % 10);
    return { n, books: 'x'.repeat(1_000) };
  }
}
decorate(Storage, 'books', [
  Retry({ maxRetries: 2, backoff: constant(1) }),
  CircuitBreaker({ name: 'storage', failureRate: 0.9, openFor: 20 }),
  Timeout('1s'),
]);
inject(Storage, [Injectable()]);

class Books {
  constructor(storage) {
    this.storage = storage;
    this.n = 0;
  }
  async list(signal) {
    this.n += 1;
    if (this.n % 4 === 0) await pause(5);
    return this.storage.books(this.n, signal);
  }
  async keep(body) {
    this.n += 1;
    if (this.n % 5 === 0) await pause(3);
    return { stored: body.items.length };
  }
  stream() {
    return from([1, 2, 3, 4]).pipe(
      concatMap((i) => timer(1).pipe(map(() => 'y'.repeat(20_000) + i))),
    );
  }
}
decorate(Books, 'list', [
  Get('books'),
  Fallback(fallbackValue({ books: [] })),
  Timeout({ attempt: 200, total: 500 }),
  Bulkhead({ maxConcurrent: 200, maxQueue: 200 }),
]);
Signal()(Books.prototype, 'list', 0);
Body()(Books.prototype, 'keep', 0);
decorate(Books, 'keep', [Post('books'), Retry({ maxRetries: 1 }), Timeout('1s')], {
  parameters: [Object],
});
decorate(Books, 'stream', [Get('stream'), Timeout('1s')], { returns: from([]).constructor });
inject(Books, [Controller()], [Storage]);

class App {}
Module({
  imports: [ResilienceModule.forRoot({ logger: false })],
  controllers: [Books],
  providers: [Storage],
})(App);

const adapter =
  platform === 'fastify'
    ? new (await import('@nestjs/platform-fastify')).FastifyAdapter()
    : new (await import('@nestjs/platform-express')).ExpressAdapter();
const app = await NestFactory.create(App, adapter, { logger: false });
await app.listen(0, '127.0.0.1');

process.on('message', async (message) => {
  if (message === 'measure') process.send({ sample: await measure() });
  else await app.close().then(() => process.disconnect());
});
process.send({ port: app.getHttpServer().address().port });
