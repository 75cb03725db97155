import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type NestInterceptor,
  Param,
  type PipeTransform,
  UseInterceptors,
} from '@nestjs/common';
import { type Observable, timeout } from 'rxjs';
import { Retry, Signal, Timeout, constant } from '../src/index.js';
import { type Platform, closeAll, everyPlatform, of, withAttempts } from './support/boot.js';
import { hang, servingOn } from './support/handlers.js';
import { Visits, deferred, settle, until } from './support/wait.js';

afterEach(closeAll);

describe.each(everyPlatform)('a decorated handler on %s', (platform: Platform) => {
  const serving = servingOn(platform);

  describe('timeouts', () => {
    it('abort @Signal(), stop the retries of a service that was given it, and drop late results', async () => {
      const visits = new Visits();
      const late = deferred<string>();
      const signals: AbortSignal[] = [];
      @Injectable()
      class Shelf {
        @Retry({ maxRetries: 9, backoff: constant('1s') })
        async books(@Signal() _signal?: AbortSignal): Promise<string> {
          if (visits.visit() === 1) throw new Error('down');
          return late.promise;
        }
      }
      @Controller()
      class K {
        constructor(readonly shelf: Shelf) {}
        @Get()
        @Timeout('2s')
        async get(@Signal() signal: AbortSignal): Promise<string> {
          signals.push(signal);
          return this.shelf.books(signal);
        }
      }
      const { app, url, clock } = await serving(K, Shelf);
      const events = withAttempts(app);
      const answer = fetch(url);
      await visits.reached(1);
      await clock.advance(2_000);
      expect((await answer).status).toBe(504);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      late.reject(new Error('late'));
      await clock.advance(30_000);
      expect(visits.count).toBe(2);
      expect(of('late', events).map(({ name }) => name)).toContain('Shelf.books');
    });

    it('during a pipe prevent the handler from running', async () => {
      const visits = new Visits();
      const pipes = new Visits();
      const gate = deferred();
      class Slow implements PipeTransform<string> {
        async transform(given: string): Promise<string> {
          pipes.visit();
          await gate.promise;
          return given;
        }
      }
      @Controller()
      class K {
        @Get(':id')
        @Timeout('1s')
        async get(@Param('id', Slow) id: string): Promise<string> {
          visits.visit();
          return id;
        }
      }
      const { url, clock } = await serving(K);
      const answer = fetch(`${url}/5`);
      await pipes.reached(1);
      await clock.advance(1_000);
      expect((await answer).status).toBe(504);
      gate.resolve();
      await settle();
      expect(visits.count).toBe(0);
    });

    it('prevent a handler that goes on from beginning calls of services that get its signal', async () => {
      const visits = new Visits();
      const handlers = new Visits();
      const gate = deferred();
      @Injectable()
      class Shelf {
        @Retry({ maxRetries: 5, backoff: constant('1s') })
        async books(@Signal() _signal?: AbortSignal): Promise<never> {
          visits.visit();
          throw new Error('down');
        }
      }
      @Controller()
      class K {
        constructor(readonly shelf: Shelf) {}
        @Get()
        @Timeout('1s')
        async get(@Signal() signal: AbortSignal): Promise<never> {
          handlers.visit();
          await gate.promise;
          return this.shelf.books(signal);
        }
      }
      const { url, clock } = await serving(K, Shelf);
      const answer = fetch(url);
      await handlers.reached(1);
      await clock.advance(1_000);
      expect((await answer).status).toBe(504);
      gate.resolve();
      await settle();
      await clock.advance(30_000);
      expect(visits.count).toBe(0);
    });

    it('are followed by an event when the handler ends', async () => {
      const visits = new Visits();
      const gate = deferred();
      @Controller()
      class K {
        @Get()
        @Timeout('1s')
        async get(): Promise<string> {
          visits.visit();
          await gate.promise;
          return 'done';
        }
      }
      const { app, url, clock } = await serving(K);
      const events = withAttempts(app);
      const answer = fetch(url);
      await visits.reached(1);
      await clock.advance(1_000);
      expect((await answer).status).toBe(504);
      gate.resolve();
      await until(() => of('late', events).length > 0);
      expect(of('late', events)).toMatchObject([{ name: 'K.get', outcome: 'success' }]);
    });

    it('give each attempt a new signal', async () => {
      const signals: AbortSignal[] = [];
      const visits = new Visits();
      @Controller()
      class K {
        @Get()
        @Retry({ maxRetries: 1, backoff: constant(0) })
        @Timeout('1s')
        async get(@Signal() signal: AbortSignal): Promise<string> {
          signals.push(signal);
          return visits.visit() === 1 ? hang(signal) : 'done';
        }
      }
      const { url, clock } = await serving(K);
      const answer = fetch(url);
      await visits.reached(1);
      await clock.advance(1_000);
      expect(await (await answer).text()).toBe('done');
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    });

    it('of an interceptor of the method abort the signal of the attempt that they end', async () => {
      const signals: AbortSignal[] = [];
      const reasons: unknown[] = [];
      class Impatient implements NestInterceptor {
        intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
          return next.handle().pipe(timeout(5));
        }
      }
      @Controller()
      class K {
        @Get()
        @UseInterceptors(Impatient)
        @Retry({ maxRetries: 2, backoff: constant(0) })
        async get(@Signal() signal: AbortSignal): Promise<string> {
          signals.push(signal);
          if (signals.length === 3) return 'done';
          if (signals.length === 2) throw new Error('down');
          return hang(signal).catch((error: unknown) => {
            reasons.push(error);
            throw error;
          });
        }
      }
      const { url, clock } = await serving(K);
      const answer = fetch(url).then((response) => response.text());
      let text: string | undefined;
      void answer.then((given) => (text = given));
      while (text === undefined) {
        await clock.advance(1);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      expect(text).toBe('done');
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, false]);
      expect(reasons).toEqual([expect.objectContaining({ name: 'TimeoutError' })]);
    });
  });
});
