import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2ServerResponse,
  connect,
  constants,
} from 'node:http2';
import { Controller, Get, type INestApplication, Sse, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Observable } from 'rxjs';
import { CircuitBreaker, Retry, Signal, Timeout, constant } from '../src/index.js';
import { type Served, appModule, closeAll, quiet, watch } from './support/boot.js';
import { hang } from './support/handlers.js';
import { SlowGuard } from './support/slow-guard.js';
import { Visits, deferred, settle, until } from './support/wait.js';

const sessions: ClientHttp2Session[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await closeAll();
});
/** Only Fastify: Express does not speak HTTP/2. */
async function serving(controller: new () => object): Promise<Omit<Served, 'url'> & { ask: Ask }> {
  const { AppModule, clock } = appModule({ controllers: [controller] });
  const adapter = new FastifyAdapter({ http2: true } as object);
  const app = await NestFactory.create<INestApplication>(AppModule, adapter as never, quiet);
  await app.listen(0, '127.0.0.1');
  const session = connect(await app.getUrl());
  sessions.push(session);
  const ask: Ask = () => {
    const stream = session.request({ ':path': '/' });
    stream.on('error', () => {});
    return { stream, cancel: () => stream.close(constants.NGHTTP2_CANCEL) };
  };
  return { app, clock, ask, ...watch(app) };
}

type Ask = () => { stream: ClientHttp2Stream; cancel(): void };

describe('a handler over HTTP/2', () => {
  it.each([
    ['with policies', [Timeout('1m')]],
    ['without any policy', []],
  ])(
    'is told by @Signal() that its client has cancelled the request, %s',
    async (_, decorators) => {
      const entered = deferred<AbortSignal>();
      @Controller()
      class K {
        async get(signal: AbortSignal): Promise<never> {
          entered.resolve(signal);
          return hang(signal);
        }
      }
      const descriptor = Object.getOwnPropertyDescriptor(K.prototype, 'get')!;
      Signal()(K.prototype, 'get', 0);
      for (const decorate of [Get(), ...decorators]) decorate(K.prototype, 'get', descriptor);
      Object.defineProperty(K.prototype, 'get', descriptor);

      const { ask } = await serving(K);
      const { cancel } = ask();
      const signal = await entered.promise;
      await settle();
      expect(signal.aborted).toBe(false);
      cancel();
      await until(() => signal.aborted);
      expect(signal.reason).toMatchObject({ code: 'CLIENT_GONE', status: 499 });
    },
  );

  it('is not repeated for a client that has gone, and the breaker does not count it', async () => {
    const visits = new Visits();
    @Controller()
    class K {
      @Get()
      @Retry({ backoff: constant('1h'), maxElapsedTime: Infinity })
      @CircuitBreaker({ name: 'books', consecutiveFailures: 1 })
      async get(@Signal() signal?: AbortSignal): Promise<never> {
        visits.visit();
        return hang(signal);
      }
    }
    const { ask, clock, registry } = await serving(K);
    const { cancel } = ask();
    await visits.reached(1);
    cancel();
    await until(() => registry.get('books').counts.ignored === 1);
    await clock.advance(3_600_000);
    expect(visits.count).toBe(1);
    expect(registry.get('books')).toMatchObject({ state: 'closed', counts: { failures: 0 } });
  });

  it('does not run for a client that has gone while a guard was at work', async () => {
    const visits = new Visits();
    const guard = new SlowGuard(
      (context) => context.switchToHttp().getResponse<{ raw: Http2ServerResponse }>().raw,
    );
    @Controller()
    class K {
      @Get()
      @UseGuards(guard)
      @Retry()
      async get(): Promise<string> {
        visits.visit();
        return 'done';
      }
    }
    const { ask } = await serving(K);
    const { cancel } = ask();
    await guard.asked.promise;
    cancel();
    await guard.gone.promise;
    guard.allow.resolve();
    await settle();
    expect(visits.count).toBe(0);
  });

  it('does not abort the signal when its answer has been sent', async () => {
    let given: AbortSignal | undefined;
    const done = deferred();
    @Controller()
    class K {
      @Get()
      async get(@Signal() signal?: AbortSignal): Promise<string> {
        given = signal;
        return 'done';
      }
    }
    const { ask, app } = await serving(K);
    app.getHttpServer().on('stream', (stream: NodeJS.EventEmitter) => {
      stream.once('close', () => done.resolve());
    });
    const { stream } = ask();
    stream.resume();
    await once(stream, 'end');
    await done.promise;
    await settle();
    expect(given!.aborted).toBe(false);
  });

  it('ends its event stream when the client has cancelled it', async () => {
    const ended = deferred();
    @Controller()
    class K {
      @Sse()
      @Retry()
      get(): Observable<{ data: string }> {
        return new Observable((subscriber) => {
          subscriber.next({ data: 'first' });
          return () => ended.resolve();
        });
      }
    }
    const { ask } = await serving(K);
    const { stream, cancel } = ask();
    await once(stream, 'data');
    cancel();
    await ended.promise;
  });
});
