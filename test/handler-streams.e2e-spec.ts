import type { ServerResponse } from 'node:http';
import {
  BadGatewayException,
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type NestInterceptor,
  Res,
  Sse,
  UseInterceptors,
} from '@nestjs/common';
import {
  NEVER,
  Observable,
  catchError,
  concat,
  defer,
  interval,
  map,
  of as just,
  take,
  throwError,
  timer,
} from 'rxjs';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitOpenError,
  Retry,
  Signal,
  Timeout,
  constant,
} from '../src/index.js';
import { type Platform, closeAll, everyPlatform, of, withAttempts } from './support/boot.js';
import { servingOn } from './support/handlers.js';
import { request } from './support/http.js';
import { Visits, deferred, until } from './support/wait.js';

afterEach(closeAll);

describe.each(everyPlatform)('a decorated handler on %s', (platform: Platform) => {
  const serving = servingOn(platform);

  describe('that streams', () => {
    it('is retried before its first event, and never replays one', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Sse('events')
        @Retry({ backoff: constant('1s') })
        events(): Observable<object> {
          if (visits.visit() < 3) return throwError(() => new BadGatewayException());
          return interval(1).pipe(
            take(3),
            map((i) => {
              if (i === 2) throw new BadGatewayException('midway');
              return { data: { i } };
            }),
          );
        }
      }
      const { app, url, clock } = await serving(K);
      const events = withAttempts(app);
      const { answer } = request(`${url}/events`);
      for (const attempt of [1, 2]) {
        await visits.reached(attempt);
        await until(() => clock.pending === 1);
        await clock.advance(1_000);
      }
      const { body } = await answer;
      expect(visits.count).toBe(3);
      expect(body.match(/data: {"i":\d}/g)).toEqual(['data: {"i":0}', 'data: {"i":1}']);
      expect(body).toContain('midway');
      expect(of('attempt', events).map(({ outcome }) => outcome)).toEqual([
        'failure',
        'failure',
        'success',
      ]);
    });

    it('counts as a success at its first item, and an error afterwards is one failure more', async () => {
      @Controller()
      class K {
        @Sse('events')
        @CircuitBreaker({ name: 'events', consecutiveFailures: 2 })
        events(): Observable<object> {
          return interval(1).pipe(
            map((i) => {
              if (i === 1) throw new BadGatewayException('midway');
              return { data: { i } };
            }),
          );
        }
      }
      const { url, registry } = await serving(K);
      await request(`${url}/events`).answer;
      expect(registry.get('events')).toMatchObject({
        state: 'closed',
        counts: { successes: 1, failures: 1, consecutiveFailures: 1 },
      });
    });

    it('shows interceptors around it the class and the code of a rejection that ends it late', async () => {
      @Injectable()
      class Mapping implements NestInterceptor {
        intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
          const mapped = (error: unknown): Observable<object> =>
            just({ data: error instanceof CircuitOpenError && `mapped ${error.code}` });
          return next.handle().pipe(catchError(mapped));
        }
      }
      @Controller()
      @UseInterceptors(Mapping)
      class K {
        @Sse('late')
        @CircuitBreaker('x')
        late(): Observable<object> {
          return concat(
            just({ data: 'first' }),
            timer(1).pipe(
              map(() => {
                throw new CircuitOpenError('secret', 1_000);
              }),
            ),
          );
        }
      }
      const { url } = await serving(K);
      expect((await request(`${url}/late`).answer).body).toContain('mapped CIRCUIT_OPEN');
    });

    it('reveals no internals to its client when a rejection ends it, early or late', async () => {
      @Injectable()
      class Shelf {
        @CircuitBreaker('secret-upstream')
        async book(): Promise<object> {
          return { data: 'book' };
        }
      }
      @Controller()
      class K {
        constructor(readonly shelf: Shelf) {}
        @Sse('early')
        @CircuitBreaker('secret-upstream')
        early(): Observable<object> {
          return NEVER;
        }
        @Sse('late')
        @Timeout('2s')
        late(): Observable<object> {
          return concat(
            just({ data: 'first' }),
            defer(() => this.shelf.book()),
          );
        }
      }
      const { url, registry } = await serving(K, Shelf);
      registry.get('secret-upstream').forceOpen();
      const early = await request(`${url}/early`).answer;
      const late = await request(`${url}/late`).answer;
      expect(early.body).toContain('Service Unavailable');
      expect(late.body).toMatch(/data: first[^]*event: error[^]*data: Service Unavailable/);
      expect(early.body + late.body).not.toMatch(/secret|circuit "|K\./);
    });

    it('is unsubscribed when the client goes before the first item, which is not counted', async () => {
      const subscribed = deferred();
      const unsubscribed = deferred();
      @Controller()
      class K {
        @Get()
        @CircuitBreaker({ name: 'events', consecutiveFailures: 1 })
        events(): Observable<string> {
          return new Observable(() => {
            subscribed.resolve();
            return () => unsubscribed.resolve();
          });
        }
      }
      const { url, registry } = await serving(K);
      const { disconnect } = request(url);
      await subscribed.promise;
      disconnect();
      await unsubscribed.promise;
      await until(() => registry.get('events').counts.ignored === 1);
      expect(registry.get('events')).toMatchObject({ state: 'closed', counts: { failures: 0 } });
    });

    it.each([
      ['with policies', [Retry()]],
      ['without any policy', []],
    ])(
      'has its @Signal() aborted when the client goes in the middle, %s',
      async (_, decorators) => {
        const entered = deferred<AbortSignal>();
        @Controller()
        class K {
          events(signal: AbortSignal): Observable<object> {
            entered.resolve(signal);
            return concat(just({ data: 'first' }), NEVER);
          }
        }
        const descriptor = Object.getOwnPropertyDescriptor(K.prototype, 'events')!;
        Signal()(K.prototype, 'events', 0);
        for (const decorate of [Sse('events'), ...decorators])
          decorate(K.prototype, 'events', descriptor);
        Object.defineProperty(K.prototype, 'events', descriptor);

        const { url } = await serving(K);
        const { begun, disconnect } = request(`${url}/events`);
        const signal = await entered.promise;
        expect(await begun).toContain('first');
        expect(signal.aborted).toBe(false);
        disconnect();
        await until(() => signal.aborted);
      },
    );

    it('ends with the answer when it is not read', async () => {
      const ended = deferred();
      @Controller()
      class K {
        @Get()
        @Bulkhead(1)
        async *items(@Res() response: { raw?: ServerResponse } & ServerResponse) {
          try {
            (response.raw ?? response).end('its own answer');
            yield 'first';
            yield 'second';
          } finally {
            ended.resolve();
          }
        }
      }
      const { url } = await serving(K);
      for (let i = 0; i < 2; i++) {
        const { body } = await request(url).answer; // the second needs the place of the first
        expect(body).toBe('its own answer');
        await expect(ended.promise).resolves.toBeUndefined();
      }
    });

    it('is unsubscribed when the client goes in the middle', async () => {
      const unsubscribed = deferred();
      @Controller()
      class K {
        @Sse('events')
        @Retry()
        events(): Observable<object> {
          return new Observable((subscriber) => {
            subscriber.next({ data: 'first' });
            return () => unsubscribed.resolve();
          });
        }
      }
      const { url } = await serving(K);
      const { begun, disconnect } = request(`${url}/events`);
      expect(await begun).toContain('first');
      disconnect();
      await expect(unsubscribed.promise).resolves.toBeUndefined();
    });
  });
});
