// An application under load that will be suspended: node app-under-load.mjs '{"port":…}'. At its end it reports its results.
import { Agent, get } from 'node:http';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  CircuitBreaker,
  CircuitBreakerRegistry,
  ResilienceEvents,
  ResilienceModule,
  Timeout,
} from 'nest-resilience';
import { decorate, inject } from '../soak/decorate.mjs';

const { port, timeout, maxCallDuration, clients } = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true });

class Books {
  /** @param call is told when its request has been sent */
  list(call) {
    return new Promise((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port, agent, path: '/books' }, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += chunk));
        response.on('end', () => resolve(body));
        response.on('error', reject);
      });
      request.on('error', reject).on('finish', () => (call.sentAt = performance.now()));
    });
  }
}
decorate(Books, 'list', [
  CircuitBreaker({
    name: 'books',
    failureRate: 0.2,
    slowCallRate: 0.2,
    slowCallDuration: maxCallDuration,
    minimumCalls: 10,
    maxCallDuration,
  }),
  Timeout(timeout),
]);
inject(Books, [Injectable()]);

class App {}
Module({ imports: [ResilienceModule.forRoot({ logger: false })], providers: [Books] })(App);

const app = await NestFactory.createApplicationContext(App, { logger: false });
const books = app.get(Books);
const told = { answered: 0, failed: [], unsent: 0, changes: [] };
app.get(ResilienceEvents).subscribe((event) => {
  if (event.type === 'state-change') told.changes.push(`${event.to}: ${event.reason}`);
});

let ending = false;
async function client() {
  while (!ending) {
    const call = { sentAt: Infinity };
    await books.list(call).then(
      () => (told.answered += 1),
      (error) => {
        // Suspended before it had sent its request: that could not be answered in time.
        if (performance.now() - call.sentAt < timeout) told.unsent += 1;
        else told.failed.push(error.message);
      },
    );
  }
}
const all = Promise.all(Array.from({ length: clients }, client));

process.on('message', async () => {
  ending = true;
  await all;
  const { state } = app.get(CircuitBreakerRegistry).get('books');
  process.send({ ...told, state });
  await app.close();
  agent.destroy();
  process.disconnect();
});
process.send('ready');
