import { AsyncLocalStorage } from 'node:async_hooks';
import { Controller, Get, Injectable } from '@nestjs/common';
import { Observable, Subject, firstValueFrom } from 'rxjs';
import {
  Bulkhead,
  BulkheadRegistry,
  Fallback,
  ResilienceEvents,
  Retry,
  Signal,
  Timeout,
  constant,
  fallbackValue,
} from '../src/index.js';
import { boot, closeAll, everyPlatform, serve } from './support/boot.js';
import { request } from './support/http.js';
import { outcome, settle, until } from './support/wait.js';

afterEach(closeAll);

describe.each(everyPlatform)('on %s', (platform) => {
  it('a handler whose generator waits for ever and ignores its signal times out', async () => {
    const begun = jest.fn();
    @Controller()
    class C {
      @Get()
      @Timeout('2s')
      async *items(): AsyncGenerator<number> {
        begun();
        await new Promise(() => {});
        yield 1;
      }
    }
    const { url, clock } = await serve(platform, { controllers: [C] });
    const answer = request(url).answer;
    await until(() => begun.mock.calls.length === 1);
    await clock.advance(2_000);
    expect((await answer).status).toBe(504);
  });
});

describe('an Observable that is interrupted', () => {
  it('is stopped before its signal aborts, and then its fallback begins; the event is told', async () => {
    const order: string[] = [];
    @Injectable()
    class S {
      @Fallback(() => {
        order.push('fallback');
        return 'instead';
      })
      @Timeout('1s')
      find(@Signal() signal?: AbortSignal): Observable<string> {
        signal!.addEventListener('abort', () => order.push('aborted'));
        return new Observable(() => () => order.push('stopped'));
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    app.get(ResilienceEvents).on('timeout', () => order.push('timeout'));
    const answer = firstValueFrom(app.get(S).find());
    await clock.advance(1_000);
    await expect(answer).resolves.toBe('instead');
    expect(order).toEqual(['stopped', 'aborted', 'timeout', 'fallback']);
  });

  it.each(['complete', 'error'] as const)(
    'that ends without an item (%s) has released its resources before the end is told',
    async (how) => {
      const order: string[] = [];
      let end = (): void => {};
      @Injectable()
      class S {
        @Bulkhead(1)
        find(): Observable<string> {
          return new Observable((subscriber) => {
            end = () => subscriber[how](new Error('down'));
            return () => order.push('released');
          });
        }
      }
      const { app } = await boot({ providers: [S] });
      const told = (): void => void order.push('told');
      app.get(S).find().subscribe({ complete: told, error: told });
      end();
      await settle();
      expect(order).toEqual(['released', 'told']);
    },
  );

  it('while its method runs rejects, and gives back its place', async () => {
    const controller = new AbortController();
    @Injectable()
    class S {
      @Bulkhead({ name: 'one', maxConcurrent: 1 })
      find(@Signal() _signal?: AbortSignal): Observable<string> {
        controller.abort(new Error('gone'));
        return new Subject();
      }
    }
    const { app } = await boot({ providers: [S] });
    const seen = await outcome(firstValueFrom(app.get(S).find(controller.signal)));
    expect(seen).toMatchObject({ error: { message: 'gone' } });
    await settle();
    expect(app.get(BulkheadRegistry).get('one').running).toBe(0);
  });
});

it('a source that fails in the async context of another call leaves the policies in that of the caller', async () => {
  const user = new AsyncLocalStorage<string>();
  const sources: Subject<string>[] = [];
  const seen: (string | undefined)[] = [];
  @Injectable()
  class S {
    @Fallback(() => {
      seen.push(user.getStore());
      return 'instead';
    })
    @Retry({ maxRetries: 1, backoff: constant('10ms') })
    find(): Observable<string> {
      seen.push(user.getStore());
      const source = new Subject<string>();
      sources.push(source);
      return source;
    }
  }
  const { app, clock } = await boot({ providers: [S] });
  const answer = user.run('caller', () => firstValueFrom(app.get(S).find()));
  user.run('another', () => sources[0]!.error(new Error('down')));
  await clock.advance(10);
  user.run('another', () => sources[1]!.error(new Error('down')));
  await expect(answer).resolves.toBe('instead');
  expect(seen).toEqual(['caller', 'caller', 'caller']);
});

it('a second attempt of a handler does not count as inside of the first one', async () => {
  const attempts: (() => void)[] = [];
  @Controller()
  class C {
    @Get()
    @Fallback(fallbackValue('nobody'))
    @Retry({ maxRetries: 1, backoff: constant('0ms') })
    @Timeout('1s')
    @Bulkhead({ name: 'reentrant', maxConcurrent: 1, reentrant: true })
    async get(): Promise<string> {
      await new Promise<void>((resolve) => attempts.push(resolve));
      return 'late';
    }
  }
  const { url, clock } = await serve('Express', { controllers: [C] });
  const answer = request(url).answer;
  await until(() => attempts.length === 1);
  await clock.advance(1_000);
  await clock.advance(0);
  expect((await answer).body).toBe('nobody'); // its only place is still held by the first attempt's work
  expect(attempts).toHaveLength(1);
  attempts.forEach((end) => end());
});
