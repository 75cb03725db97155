import {
  BadGatewayException,
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type NestInterceptor,
  type Provider,
  RequestTimeoutException,
  Sse,
  type Type,
  UseInterceptors,
  applyDecorators,
} from '@nestjs/common';
import { Observable, Subject, race, mergeMap, throwError } from 'rxjs';
import { Bulkhead, Fallback, Retry, Signal, Timeout, constant } from '../src/index.js';
import {
  type Platform,
  type Served,
  closeAll,
  everyPlatform,
  of,
  serve,
  withAttempts,
} from './support/boot.js';
import { Works, bulkhead, counts } from './support/bulkhead-calls.js';
import { answersRejections } from './support/handlers.js';
import { request } from './support/http.js';
import { deferred, settle, until } from './support/wait.js';

afterEach(closeAll);

/** A controller that works under these decorators, outermost first. */
function working(works: Works, ...decorators: MethodDecorator[]): Type {
  @Controller()
  class K {
    @Get()
    @applyDecorators(...[...decorators].reverse())
    async get(): Promise<string> {
      return works.next();
    }
  }
  return K;
}

describe.each(everyPlatform)('a bulkhead on %s', (platform: Platform) => {
  const serving = (controller: Type, ...providers: Provider[]): Promise<Served> =>
    serve(platform, { controllers: [controller], providers });

  it('answers with 503, Retry-After and a JSON body that reveals no internals', async () => {
    const works = new Works();
    const K = working(works, Bulkhead({ name: 'secret-upstream', maxConcurrent: 1 }));
    const { url, clock } = await serving(K);
    const first = fetch(url);
    await works.reached(1);
    await clock.advance(2_300);
    works.end(0);
    expect(await (await first).text()).toBe('work 0');
    const second = fetch(url);
    await works.reached(2);
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('3');
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await response.json()).toEqual({
      statusCode: 503,
      message: 'Service Unavailable',
      error: 'Service Unavailable',
      code: 'BULKHEAD_FULL',
    });
    works.end(1);
    expect((await second).status).toBe(200);
    expect(works.count).toBe(2);
  });

  it('of a service below an undecorated handler is answered the same by the filter', async () => {
    const works = new Works();
    @Injectable()
    class Shelf {
      @Bulkhead(1)
      async books(): Promise<string> {
        return works.next();
      }
    }
    @Controller()
    class K {
      constructor(readonly shelf: Shelf) {}
      @Get()
      get(): Promise<string> {
        return this.shelf.books();
      }
    }
    Reflect.defineMetadata('design:paramtypes', [Shelf], K);
    const { url } = await serving(K, Shelf, answersRejections);
    const first = fetch(url);
    await works.reached(1);
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ code: 'BULKHEAD_FULL' });
    works.end(0);
    expect((await first).status).toBe(200);
  });

  it('lets requests wait for their turn', async () => {
    const works = new Works();
    @Controller()
    @Bulkhead({ name: 'k', maxConcurrent: 1, maxQueue: 1 })
    class K {
      @Get('one')
      async one(): Promise<string> {
        return `one, ${await works.next()}`;
      }
      @Get('two')
      async two(): Promise<string> {
        return `two, ${await works.next()}`;
      }
    }
    const { app, url } = await serving(K);
    const first = fetch(`${url}/one`);
    await works.reached(1);
    const second = fetch(`${url}/two`);
    await until(() => bulkhead(app, 'k').waiting === 1);
    expect((await fetch(`${url}/two`)).status).toBe(503);
    works.end(0);
    expect(await (await first).text()).toBe('one, work 0');
    await works.reached(2);
    works.end(1);
    expect(await (await second).text()).toBe('two, work 1');
    expect(counts(app, 'k')).toEqual([0, 0, 1]);
  });

  it('is left by a request whose client goes while it waits', async () => {
    const works = new Works();
    const K = working(works, Bulkhead({ maxConcurrent: 1, maxQueue: 1 }));
    const { app, url } = await serving(K);
    const first = fetch(url);
    await works.reached(1);
    const { disconnect } = request(url);
    await until(() => bulkhead(app, 'K.get').waiting === 1);
    disconnect();
    await until(() => bulkhead(app, 'K.get').waiting === 0);
    expect(counts(app, 'K.get')).toEqual([1, 0, 0]);
    works.end(0);
    await (await first).text();
    await settle();
    expect(works.count).toBe(1);
  });

  it('of a service that was given the signal of the handler is left too when the client goes', async () => {
    const works = new Works();
    @Injectable()
    class Shelf {
      @Bulkhead({ maxConcurrent: 1, maxQueue: 1 })
      async books(@Signal() _signal?: AbortSignal): Promise<string> {
        return works.next();
      }
    }
    @Controller()
    class K {
      constructor(readonly shelf: Shelf) {}
      @Get()
      @Timeout('1m')
      async get(@Signal() signal: AbortSignal): Promise<string> {
        return this.shelf.books(signal);
      }
    }
    Reflect.defineMetadata('design:paramtypes', [Shelf], K);
    const { app, url } = await serving(K, Shelf);
    const first = fetch(url);
    await works.reached(1);
    const { disconnect } = request(url);
    await until(() => bulkhead(app, 'Shelf.books').waiting === 1);
    disconnect();
    await until(() => bulkhead(app, 'Shelf.books').waiting === 0);
    works.end(0);
    await (await first).text();
    expect(works.count).toBe(1);
  });

  it('keeps the place of a handler whose client has gone until it has ended', async () => {
    const works = new Works();
    const K = working(works, Bulkhead(1));
    const { app, url } = await serving(K);
    const events = withAttempts(app);
    const { disconnect } = request(url);
    await works.reached(1);
    disconnect();
    await until(() => of('attempt', events).length === 1);
    expect((await fetch(url)).status).toBe(503);
    works.end(0);
    await until(() => bulkhead(app, 'K.get').running === 0);
  });

  it('keeps the place of a handler that has timed out until it has ended', async () => {
    const works = new Works();
    const K = working(works, Timeout('1s'), Bulkhead(1));
    const { app, url, clock } = await serving(K);
    const answer = fetch(url);
    await works.reached(1);
    await clock.advance(1_000);
    expect((await answer).status).toBe(504);
    expect((await fetch(url)).status).toBe(503);
    works.end(0);
    await until(() => bulkhead(app, 'K.get').running === 0);
  });

  // `Call.runningWork` is still that of the first attempt.
  it('is left by a later attempt that times out in the queue, even if the work of the first goes on', async () => {
    const works = new Works();
    const K = working(
      works,
      Retry({ maxRetries: 1, backoff: constant(0) }),
      Timeout('1s'),
      Bulkhead({ maxConcurrent: 1, maxQueue: 1 }),
    );
    const { app, url, clock } = await serving(K);
    const answer = fetch(url);
    await works.reached(1);
    await clock.advance(1_000);
    expect(counts(app, 'K.get')).toEqual([1, 1, 0]);
    await clock.advance(1_000);
    expect((await answer).status).toBe(504);
    expect(counts(app, 'K.get')).toEqual([1, 0, 0]);
    works.end(0);
    await settle();
    expect(counts(app, 'K.get')).toEqual([0, 0, 0]);
    expect(works.count).toBe(1);
  });

  it('keeps the place of a handler that an inner interceptor no longer waits for until it has ended', async () => {
    const works = new Works();
    const impatience = new Subject<never>();
    class Impatient implements NestInterceptor {
      intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
        const timeout = impatience.pipe(
          mergeMap(() => throwError(() => new RequestTimeoutException())),
        );
        return race(next.handle(), timeout);
      }
    }
    const K = working(works, UseInterceptors(Impatient), Bulkhead(1));
    const { app, url } = await serving(K);
    const answer = fetch(url);
    await works.reached(1);
    impatience.next(undefined as never);
    expect((await answer).status).toBe(408);
    expect(counts(app, 'K.get')).toEqual([1, 0, 0]);
    works.end(0);
    await until(() => bulkhead(app, 'K.get').running === 0);
  });

  it('keeps the place of an event stream until its client goes', async () => {
    const source = new Subject<object>();
    @Controller()
    class K {
      @Sse('events')
      @Bulkhead({ maxConcurrent: 1, maxQueue: 1 })
      events(): Observable<object> {
        return source;
      }
    }
    const { app, url } = await serving(K);
    const first = request(`${url}/events`);
    await until(() => source.observed);
    source.next({ data: 'first' });
    expect(await first.begun).toContain('first');
    expect(counts(app, 'K.events')).toEqual([1, 0, 0]);
    first.disconnect();
    await until(() => bulkhead(app, 'K.events').running === 0);
    expect(source.observed).toBe(false);
  });

  it('gives the place of a handler back before its fallback answers', async () => {
    const works = new Works();
    const answer = deferred<string>();
    @Controller()
    class K {
      @Get()
      @Fallback(() => answer.promise)
      @Bulkhead(1)
      async get(): Promise<string> {
        return works.next();
      }
    }
    const { app, url } = await serving(K);
    const response = fetch(url);
    await works.reached(1);
    works.all[0]!.reject(new BadGatewayException());
    await until(() => bulkhead(app, 'K.get').running === 0);
    answer.resolve('answer');
    expect(await (await response).text()).toBe('answer');
  });

  it('rejects waiting requests when the application closes, and lets the others end', async () => {
    const works = new Works();
    const K = working(works, Bulkhead({ maxConcurrent: 1, maxQueue: 1 }));
    const { app, url } = await serving(K);
    const first = request(url);
    await works.reached(1);
    const second = request(url);
    await until(() => bulkhead(app, 'K.get').waiting === 1);
    const closed = app.close();
    const { status, headers, body } = await second.answer;
    expect(status).toBe(503);
    expect(headers['retry-after']).toBeUndefined();
    expect(JSON.parse(body)).toMatchObject({ code: 'BULKHEAD_FULL' });
    works.end(0);
    expect((await first.answer).body).toBe('work 0');
    await closed;
    expect(works.count).toBe(1);
  });
});
