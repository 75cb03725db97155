import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import {
  BadGatewayException,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { CircuitBreaker, Retry, Signal, Timeout, constant } from '../src/index.js';
import { type Platform, closeAll, everyPlatform, withAttempts } from './support/boot.js';
import { attemptsOf, hang, servingOn } from './support/handlers.js';
import { request } from './support/http.js';
import { SlowGuard } from './support/slow-guard.js';
import { Visits, deferred, settle, until } from './support/wait.js';

afterEach(closeAll);

const socketOf = (context: ExecutionContext): Socket =>
  context.switchToHttp().getRequest<IncomingMessage>().socket;

describe.each(everyPlatform)('a decorated handler on %s', (platform: Platform) => {
  const serving = servingOn(platform);

  describe('when the client disconnects', () => {
    it('no further attempt is made, and the breaker does not count it', async () => {
      const visits = new Visits();
      const fail = deferred();
      @Controller()
      class K {
        @Get()
        @Retry({ backoff: constant('1s') })
        @CircuitBreaker({ name: 'books', consecutiveFailures: 1 })
        async get(): Promise<never> {
          visits.visit();
          await fail.promise;
          throw new BadGatewayException();
        }
      }
      const { url, clock, registry } = await serving(K);
      const { disconnect } = request(url);
      await visits.reached(1);
      disconnect();
      await until(() => registry.get('books').counts.ignored === 1);
      fail.resolve();
      await clock.advance(10_000);
      expect(visits.count).toBe(1);
      expect(registry.get('books')).toMatchObject({ state: 'closed', counts: { failures: 0 } });
    });

    it('while the call waits for its next attempt, the wait ends', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Get()
        @Retry({ backoff: constant('1h'), maxElapsedTime: Infinity })
        async get(): Promise<never> {
          visits.visit();
          throw new BadGatewayException();
        }
      }
      const { url, clock } = await serving(K);
      const { disconnect } = request(url);
      await until(() => clock.pending === 1);
      disconnect();
      await until(() => clock.pending === 0);
      expect(visits.count).toBe(1);
    });

    it.each([
      ['with policies', [Timeout('1m')]],
      ['without any policy', []],
    ])('@Signal() is aborted %s', async (_, decorators) => {
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

      const { url } = await serving(K);
      const { disconnect } = request(url);
      const signal = await entered.promise;
      expect(signal.aborted).toBe(false);
      disconnect();
      await until(() => signal.aborted);
      expect(signal.reason).toMatchObject({ code: 'CLIENT_GONE', status: 499 });
    });

    it('while a guard is at work, the handler does not run', async () => {
      const visits = new Visits();
      const guard = new SlowGuard(socketOf);
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
      const { url } = await serving(K);
      const { disconnect } = request(url);
      await guard.asked.promise;
      disconnect();
      await guard.gone.promise;
      await settle();
      guard.allow.resolve();
      await settle();
      expect(visits.count).toBe(0);
    });

    it('while a guard is at work, @Signal() without any policy is aborted from the beginning', async () => {
      const guard = new SlowGuard(socketOf);
      const entered = deferred<AbortSignal>();
      @Controller()
      class K {
        @Get()
        @UseGuards(guard)
        async get(@Signal() signal: AbortSignal): Promise<void> {
          entered.resolve(signal);
        }
      }
      const { url } = await serving(K);
      const { disconnect } = request(url);
      await guard.asked.promise;
      disconnect();
      await guard.gone.promise;
      await settle();
      guard.allow.resolve();
      const signal = await entered.promise;
      expect(signal.aborted).toBe(true);
      expect(signal.reason).toMatchObject({ code: 'CLIENT_GONE' });
    });

    it('work that outlasts its handler goes on, under its own policies', async () => {
      const left = deferred<() => Promise<string>>();
      @Injectable()
      class Shelf {
        @Retry()
        async books(): Promise<string> {
          return 'books';
        }
      }
      @Controller()
      class K {
        constructor(readonly shelf: Shelf) {}
        @Get()
        @Retry()
        async get(@Signal() signal: AbortSignal): Promise<string> {
          left.resolve(AsyncResource.bind(() => this.shelf.books()));
          await hang(signal).catch(() => {});
          return 'done';
        }
      }
      const { app, url } = await serving(K, Shelf);
      const events = withAttempts(app);
      const { disconnect } = request(url);
      const work = await left.promise;
      disconnect();
      await until(() => attemptsOf(events, 'K.get') === 1);
      await settle();
      await expect(work()).resolves.toBe('books');
    });

    it('@Signal() is not aborted when the answer has been sent', async () => {
      let seen: AbortSignal | undefined;
      @Controller()
      class K {
        @Get()
        @Timeout('1m')
        async get(@Signal() signal: AbortSignal): Promise<string> {
          seen = signal;
          return 'done';
        }
      }
      const { url } = await serving(K);
      const { answer } = request(url);
      expect((await answer).body).toBe('done');
      await settle();
      expect(seen?.aborted).toBe(false);
    });
  });
});
