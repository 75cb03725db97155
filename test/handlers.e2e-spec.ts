import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import {
  type ArgumentsHost,
  BadGatewayException,
  type CallHandler,
  type CanActivate,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  type NestInterceptor,
  NotFoundException,
  Param,
  ParseIntPipe,
  type PipeTransform,
  Req,
  Res,
  Scope,
  Sse,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  NEVER,
  Observable,
  concat,
  interval,
  map,
  of as just,
  retry,
  take,
  throwError,
} from 'rxjs';
import {
  CircuitBreaker,
  type FallbackContext,
  Fallback,
  type ResilienceEvent,
  Retry,
  Signal,
  Timeout,
  constant,
  staleIfError,
} from '../src/index.js';
import { type Platform, type Served, closeAll, everyPlatform, of, serve } from './support/boot.js';
import { request } from './support/http.js';
import { Visits, deferred, settle, until } from './support/wait.js';

afterEach(closeAll);

const unhandled: unknown[] = [];
const remember = (error: unknown): void => void unhandled.push(error);
beforeAll(() => process.on('unhandledRejection', remember));
afterAll(() => process.off('unhandledRejection', remember));
afterEach(async () => {
  await settle();
  expect(unhandled.splice(0)).toEqual([]);
});

/** Works until its signal is aborted, or for ever. */
function hang(signal?: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

const attemptsOf = (events: readonly ResilienceEvent[], name?: string): number =>
  of('attempt', events).filter((event) => name === undefined || event.name === name).length;

/** Responses of Express and Fastify. */
interface AnyResponse {
  readonly raw?: AnyResponse;
  write(part: string): void;
  end(): void;
}

/** Nest's own would send a second head. */
class EndOfResponse implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<AnyResponse>();
    (response.raw ?? response).end();
  }
}

describe.each(everyPlatform)('a decorated handler on %s', (platform: Platform) => {
  const serving = (
    controller: new (...args: never[]) => object,
    ...providers: object[]
  ): Promise<Served> =>
    serve(platform, { controllers: [controller], providers: providers as never });

  describe('retries', () => {
    it('cover inner interceptors, pipes and the handler', async () => {
      const trace: string[] = [];
      class Inner implements NestInterceptor {
        intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
          trace.push('interceptor');
          return next.handle();
        }
      }
      class Pipe implements PipeTransform<string> {
        transform(given: string): string {
          trace.push('pipe');
          return given;
        }
      }
      @Controller()
      class K {
        @Get(':id')
        @Retry({ maxRetries: 1, backoff: constant(0) })
        @UseInterceptors(Inner)
        async get(@Param('id', Pipe) id: string): Promise<object> {
          trace.push('handler');
          if (trace.length < 4) throw new BadGatewayException();
          return { id };
        }
      }
      const { url, clock } = await serving(K);
      const answer = fetch(`${url}/5`);
      await until(() => clock.pending > 0);
      await clock.advance(0);
      expect(await (await answer).json()).toEqual({ id: '5' });
      expect(trace).toEqual(['interceptor', 'pipe', 'handler', 'interceptor', 'pipe', 'handler']);
    });

    it('wait between attempts', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Get()
        @Retry({ backoff: constant('2s') })
        async get(): Promise<object> {
          if (visits.visit() < 3) throw new BadGatewayException();
          return { attempts: visits.count };
        }
      }
      const { url, clock } = await serving(K);
      const answer = fetch(url);
      await visits.reached(1);
      await clock.advance(1_999);
      expect(visits.count).toBe(1);
      await clock.advance(1);
      expect(visits.count).toBe(2);
      await clock.advance(2_000);
      expect(await (await answer).json()).toEqual({ attempts: 3 });
    });

    it('leave out, and counting takes for successes, what a pipe or the handler answers with 4xx', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Get(':id')
        @Retry({ backoff: constant(0) })
        @CircuitBreaker({ name: 'books', consecutiveFailures: 1 })
        async get(@Param('id', ParseIntPipe) _id: number): Promise<never> {
          visits.visit();
          throw new NotFoundException();
        }
      }
      const { url, registry } = await serving(K);
      expect((await fetch(`${url}/five`)).status).toBe(400);
      expect(visits.count).toBe(0);
      expect((await fetch(`${url}/5`)).status).toBe(404);
      expect(visits.count).toBe(1);
      expect(registry.get('books')).toMatchObject({
        state: 'closed',
        counts: { successes: 2, failures: 0, ignored: 0 },
      });
    });

    it('end with the last error as it is', async () => {
      @Controller()
      class K {
        @Get()
        @Retry({ maxRetries: 0 })
        async get(): Promise<never> {
          throw new BadGatewayException('the shelf is empty');
        }
      }
      const { url } = await serving(K);
      const response = await fetch(url);
      expect(response.status).toBe(502);
      expect(await response.json()).toMatchObject({ message: 'the shelf is empty' });
    });

    it('of an inner interceptor are made too, in each attempt', async () => {
      const visits = new Visits();
      class Again implements NestInterceptor {
        intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
          return next.handle().pipe(retry(1));
        }
      }
      @Controller()
      class K {
        @Get()
        @UseInterceptors(Again)
        @Retry({ maxRetries: 1, backoff: constant('1s') })
        async get(): Promise<never> {
          visits.visit();
          throw new BadGatewayException();
        }
      }
      const { url, clock } = await serving(K);
      const answer = fetch(url);
      await until(() => clock.pending === 1);
      expect(visits.count).toBe(2);
      await clock.advance(1_000);
      expect((await answer).status).toBe(502);
      expect(visits.count).toBe(4);
    });

    it('are not made once the handler has begun to send its response (@Res())', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Get()
        @UseFilters(EndOfResponse)
        @Retry({ backoff: constant(0) })
        async get(@Res() response: AnyResponse): Promise<void> {
          visits.visit();
          (response.raw ?? response).write('part');
          throw new BadGatewayException();
        }
      }
      const { url, events, clock } = await serving(K);
      const { answer } = request(url);
      expect((await answer).body).toBe('part');
      await until(() => of('retries-exhausted', events).length === 1);
      await clock.advance(1_000);
      expect(of('retries-exhausted', events)[0]!.reason).toBe('answered');
      expect(visits.count).toBe(1);
    });
  });

  describe('rejections', () => {
    it('by an open circuit are 503 with Retry-After and a JSON body that tells nothing of the inside', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Get()
        @CircuitBreaker({ name: 'secret-upstream', consecutiveFailures: 1, openFor: '4500ms' })
        async get(): Promise<never> {
          visits.visit();
          throw new BadGatewayException();
        }
      }
      const { url } = await serving(K);
      expect((await fetch(url)).status).toBe(502);
      const response = await fetch(url);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
      expect(response.headers.get('content-type')).toContain('application/json');
      expect(await response.json()).toEqual({
        statusCode: 503,
        message: 'Service Unavailable',
        error: 'Service Unavailable',
        code: 'CIRCUIT_OPEN',
      });
      expect(visits.count).toBe(1);
    });

    it('by a circuit that is open without end never say so in Retry-After, which takes seconds', async () => {
      @Controller()
      class K {
        @Get()
        @CircuitBreaker({ consecutiveFailures: 1, openFor: () => Infinity })
        async get(): Promise<never> {
          throw new BadGatewayException();
        }
      }
      const { url } = await serving(K);
      expect((await fetch(url)).status).toBe(502);
      const response = await fetch(url);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after') ?? '0').toMatch(/^\d+$/);
    });

    it('by a timeout are 504 with a JSON body', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Get()
        @Timeout('2s')
        async get(): Promise<never> {
          visits.visit();
          return hang();
        }
      }
      const { url, clock } = await serving(K);
      const answer = fetch(url);
      await visits.reached(1);
      await clock.advance(2_000);
      const response = await answer;
      expect(response.status).toBe(504);
      expect(await response.json()).toEqual({
        statusCode: 504,
        message: 'Gateway Timeout',
        error: 'Gateway Timeout',
        code: 'TIMEOUT',
      });
    });

    it('made by a service below an undecorated handler are answered alike', async () => {
      @Injectable()
      class Shelf {
        @CircuitBreaker({ consecutiveFailures: 1, openFor: '3s' })
        async books(): Promise<never> {
          throw new Error('down');
        }
      }
      @Controller()
      class K {
        constructor(readonly shelf: Shelf) {}
        @Get()
        get(): Promise<never> {
          return this.shelf.books();
        }
      }
      const { url, clock } = await serving(K, Shelf);
      expect((await fetch(url)).status).toBe(500);
      await clock.advance(500);
      const response = await fetch(url);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('3');
      expect(await response.json()).toMatchObject({ code: 'CIRCUIT_OPEN' });
    });
  });

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
      const [asked, gone, allow] = [deferred(), deferred(), deferred()];
      @Injectable()
      class Slow implements CanActivate {
        async canActivate(context: ExecutionContext): Promise<boolean> {
          const { socket } = context.switchToHttp().getRequest<IncomingMessage>();
          socket.once('close', () => gone.resolve());
          asked.resolve();
          await allow.promise;
          return true;
        }
      }
      @Controller()
      class K {
        @Get()
        @UseGuards(Slow)
        @Retry()
        async get(): Promise<string> {
          visits.visit();
          return 'done';
        }
      }
      const { url } = await serving(K);
      const { disconnect } = request(url);
      await asked.promise;
      disconnect();
      await gone.promise;
      await settle();
      allow.resolve();
      await settle();
      expect(visits.count).toBe(0);
    });

    it('work that an ended handler has left behind goes on, under its own policies', async () => {
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
      const { url, events } = await serving(K, Shelf);
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

  describe('timeouts', () => {
    it('abort @Signal(), stop the retries of a service below that was given it, and drop what comes late', async () => {
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
      const { url, clock, events } = await serving(K, Shelf);
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

    it('while a pipe is at work keep the handler from running', async () => {
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

    it('keep a handler that goes on all the same from beginning calls of services that get its signal', async () => {
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

    it('tell what has become of the handler later', async () => {
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
      const { url, clock, events } = await serving(K);
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
  });

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
      const { url, clock, events } = await serving(K);
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

    it('counts as a success at its first item: an error afterwards changes nothing', async () => {
      @Controller()
      class K {
        @Sse('events')
        @CircuitBreaker({ name: 'events', consecutiveFailures: 1 })
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
      expect(registry.get('events')).toMatchObject({ state: 'closed', counts: { successes: 1 } });
    });

    it('is unsubscribed when the client goes before the first item, which counts for nothing', async () => {
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

  describe('has a fallback that is', () => {
    it('a method of the controller', async () => {
      const given: unknown[] = [];
      @Controller()
      class K {
        private readonly shelf = 'the shelf of this controller';
        @Get(':id')
        @Fallback('answer')
        async get(@Param('id') _id: string): Promise<string> {
          throw new BadGatewayException();
        }
        answer(...args: unknown[]): string {
          given.push(...args);
          return this.shelf;
        }
      }
      const { url } = await serving(K);
      expect(await (await fetch(`${url}/5`)).text()).toBe('the shelf of this controller');
      expect(given).toEqual(['5', expect.objectContaining({ name: 'K.get', attempts: 1 })]);
    });

    it('a method of a request-scoped controller, of the very request', async () => {
      let made = 0;
      @Controller({ scope: Scope.REQUEST })
      class K {
        constructor(@Inject(REQUEST) private readonly own: { params: { id: string } }) {
          made += 1;
        }
        @Get(':id')
        @Fallback('answer')
        async get(@Param('id') _id: string): Promise<string> {
          throw new BadGatewayException();
        }
        answer(): string {
          return `instance ${made} for ${this.own.params.id}`;
        }
      }
      const { url } = await serving(K);
      expect(await (await fetch(`${url}/5`)).text()).toBe('instance 1 for 5');
      expect(await (await fetch(`${url}/6`)).text()).toBe('instance 2 for 6');
    });

    it('a function, which gets what the handler gets', async () => {
      @Controller()
      class K {
        @Get(':id')
        @Fallback(
          ({ error }: FallbackContext, request: { method: string }, id: number) =>
            `${request.method} ${typeof id} ${id}: ${String(error)}`,
        )
        async get(
          @Req() _request: unknown,
          @Param('id', ParseIntPipe) _id: number,
        ): Promise<string> {
          throw new BadGatewayException('down');
        }
      }
      const { url } = await serving(K);
      const answer = await fetch(`${url}/5`);
      expect(await answer.text()).toBe('GET number 5: BadGatewayException: down');
    });

    it('the last good answer, by its key', async () => {
      let down = false;
      @Controller()
      class K {
        @Get(':id')
        @Fallback(
          staleIfError({ ttl: '1m', key: ({ params }: { params: { id: string } }) => params.id }),
        )
        async get(@Param('id') id: string): Promise<object> {
          if (down) throw new BadGatewayException();
          return { id };
        }
      }
      const entries = new Map<string, unknown>();
      const cache = {
        get: async (key: string) => entries.get(key),
        set: async (key: string, entry: unknown) => void entries.set(key, entry),
      };
      const { url } = await serving(K, { provide: 'CACHE_MANAGER', useValue: cache });
      await fetch(`${url}/5`);
      down = true;
      expect(await (await fetch(`${url}/5`)).json()).toEqual({ id: '5' });
      expect((await fetch(`${url}/6`)).status).toBe(502);
    });

    it('not asked about 4xx', async () => {
      @Controller()
      class K {
        @Get()
        @Fallback(() => 'never')
        async get(): Promise<string> {
          throw new NotFoundException();
        }
      }
      const { url } = await serving(K);
      expect((await fetch(url)).status).toBe(404);
    });
  });

  it('is reported as one call, however often its policies ran it', async () => {
    const visits = new Visits();
    @Controller()
    class K {
      @Get()
      @Retry({ backoff: constant('1s') })
      async get(): Promise<string> {
        if (visits.visit() < 3) throw new BadGatewayException();
        return 'done';
      }
    }
    const { url, clock, events } = await serving(K);
    const answer = fetch(url);
    for (const attempt of [1, 2]) {
      await visits.reached(attempt);
      await until(() => clock.pending === 1);
      await clock.advance(1_000);
    }
    expect(await (await answer).text()).toBe('done');
    expect(attemptsOf(events, 'K.get')).toBe(3);
  });
});
