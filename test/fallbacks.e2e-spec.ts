import { BadGatewayException, Injectable, NotFoundException, Scope } from '@nestjs/common';
import type * as cacheManager from '@nestjs/cache-manager';
import {
  CircuitBreaker,
  CircuitOpenError,
  type FallbackContext,
  type FallbackHandler,
  Fallback,
  Retry,
  Signal,
  Timeout,
  TimeoutError,
  constant,
  staleIfError,
  fallbackValue,
  withReport,
} from '../src/index.js';
import {
  Observable,
  concat,
  firstValueFrom,
  lastValueFrom,
  of as just,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import { boot, closeAll, nestMajor, of } from './support/boot.js';
import { deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

interface Book {
  readonly title: string;
}

describe('a fallback that is a method', () => {
  it('gets this, the arguments and then the context', async () => {
    const given: unknown[] = [];
    const error = new Error('down');
    @Injectable()
    class S {
      readonly shelf = 'a shelf';
      @Fallback('fromShelf')
      @Retry({ maxRetries: 1, backoff: constant('1s') })
      async search(_words: string, _page: number): Promise<string> {
        throw error;
      }
      fromShelf(words: string, page: number, context: FallbackContext): string {
        given.push(words, page, context);
        return this.shelf;
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    const call = app.get(S).search('sea', 2);
    await clock.advance(1_000);
    await expect(call).resolves.toBe('a shelf');
    expect(given).toEqual(['sea', 2, { name: 'S.search', error, rejected: false, attempts: 2 }]);
    expect((given[2] as FallbackContext).error).toBe(error);
  });

  it('gets the context after the parameters that were left out, those with defaults too', async () => {
    const given: unknown[][] = [];
    @Injectable()
    class S {
      @Fallback('answer')
      async search(_words: string, _page = 1, _size?: number): Promise<void> {
        throw new Error('down');
      }
      answer(...args: unknown[]): void {
        given.push(args);
      }
    }
    const { app } = await boot({ providers: [S] });
    await app.get(S).search('sea');
    await app.get(S).search('sea', 2, 10);
    expect(given).toEqual([
      ['sea', undefined, undefined, expect.objectContaining({ name: 'S.search' })],
      ['sea', 2, 10, expect.objectContaining({ name: 'S.search' })],
    ]);
  });

  it('may be private to a subclass: the most special one answers', async () => {
    abstract class Base {
      @Fallback('answer')
      async m(): Promise<string> {
        throw new Error('down');
      }
      answer(): string {
        return 'base';
      }
    }
    @Injectable()
    class One extends Base {}
    @Injectable()
    class Two extends Base {
      override answer(): string {
        return 'two';
      }
    }
    const { app } = await boot({ providers: [One, Two] });
    await expect(app.get(One).m()).resolves.toBe('base');
    await expect(app.get(Two).m()).resolves.toBe('two');
  });

  it('is static beside a static method', async () => {
    @Injectable()
    class S {
      @Fallback('second')
      static async first(id: number): Promise<number> {
        throw new Error(String(id));
      }

      static second(id: number): number {
        return id;
      }
    }
    await boot({ providers: [S] });
    await expect(S.first(7)).resolves.toBe(7);
  });

  it('may be protected itself', async () => {
    @Injectable()
    class S {
      @Fallback('second')
      async first(): Promise<string> {
        throw new Error('first');
      }
      @Fallback(fallbackValue('third'))
      async second(): Promise<string> {
        throw new Error('second');
      }
    }
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).first()).resolves.toBe('third');
  });
});

describe('a fallback that is', () => {
  it('a function gets the context and then the arguments', async () => {
    @Injectable()
    class S {
      @Fallback(
        ({ name, error, rejected }: FallbackContext, words: string) =>
          `${name}(${words}): ${String(error)}, ${rejected ? 'rejected' : 'failed'}`,
      )
      async search(_words: string): Promise<string> {
        throw new Error('down');
      }
    }
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).search('sea')).resolves.toBe('S.search(sea): Error: down, failed');
  });

  it('an injectable class can use other providers', async () => {
    @Injectable()
    class Archive {
      readonly books = ['an old book'];
    }
    @Injectable()
    class FromArchive implements FallbackHandler<readonly [string], string[]> {
      constructor(private readonly archive: Archive) {}
      async handle(_context: FallbackContext, words: string): Promise<string[]> {
        return [words, ...this.archive.books];
      }
    }
    @Injectable()
    class S {
      @Fallback(FromArchive)
      async search(_words: string): Promise<string[]> {
        throw new Error('down');
      }
    }
    const { app, events } = await boot({ providers: [S, FromArchive, Archive] });
    await expect(app.get(S).search('sea')).resolves.toEqual(['sea', 'an old book']);
    expect(of('fallback', events)[0]!.handler).toBe('FromArchive');
  });

  it('a request-scoped class is refused when the application starts', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      handle(): void {}
    }
    @Injectable()
    class S {
      @Fallback(PerRequest as never)
      async m(): Promise<void> {}
    }
    const { error } = await outcome(boot({ providers: [S, PerRequest] }));
    expect(String(error)).toContain('S.m @Fallback: handler is function PerRequest');
  });

  it('a value answers with that very object', async () => {
    const books: Book[] = [];
    @Injectable()
    class S {
      @Fallback(fallbackValue(books))
      async all(): Promise<Book[]> {
        throw new Error('down');
      }
    }
    const { app } = await boot({ providers: [S] });
    expect(await app.get(S).all()).toBe(books);
  });

  it('undefined as a value is an answer too', async () => {
    @Injectable()
    class S {
      @Fallback(fallbackValue(undefined))
      async m(): Promise<void> {
        throw new Error('down');
      }
    }
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).m()).resolves.toBeUndefined();
  });

  it('a stream answers a stream', async () => {
    @Injectable()
    class S {
      @Fallback(() => just('a', 'b'))
      observable(): Observable<string> {
        throw new Error('down');
      }
      @Fallback('answer')
      async *items(): AsyncGenerator<string> {
        yield await Promise.reject(new Error('down'));
      }
      async *answer(): AsyncGenerator<string> {
        yield 'c';
        yield 'd';
      }
    }
    const { app } = await boot({ providers: [S] });
    const letters = lastValueFrom(app.get(S).observable().pipe(toArray()));
    await expect(letters).resolves.toEqual(['a', 'b']);
    const items: string[] = [];
    for await (const item of app.get(S).items()) items.push(item);
    expect(items).toEqual(['c', 'd']);
  });
});

describe('a list of fallbacks', () => {
  class DatabaseError extends Error {}
  class DeadlockError extends DatabaseError {}

  @Injectable()
  class S {
    @Fallback([
      { handler: fallbackValue('anything') },
      { on: [DatabaseError], handler: fallbackValue('database') },
      { on: [DatabaseError], handler: fallbackValue('as near, but later') },
      { on: [CircuitOpenError, TimeoutError], handler: fallbackValue('rejected') },
      { on: [DeadlockError], handler: 'deadlock' },
      {
        on: [(error) => (error as Error).message === 'special'],
        handler: fallbackValue('predicate'),
      },
    ])
    async m(error: unknown): Promise<string> {
      throw error as Error;
    }
    deadlock(error: unknown): string {
      return `deadlock ${String(error)}`;
    }
  }

  it.each([
    ['the class itself', new DatabaseError('x'), 'database'],
    ['a subclass with a choice of its own', new DeadlockError('x'), 'deadlock Error: x'],
    ['another of our classes', new TimeoutError('m', 'attempt', 1), 'rejected'],
    [
      'a predicate, which is as near as can be',
      new (class extends DatabaseError {})('special'),
      'predicate',
    ],
    ['no class: the choice without any', new Error('x'), 'anything'],
    ['something that is no error', 'text', 'anything'],
  ])('answers by the nearest class: %s', async (_, error, expected) => {
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).m(error)).resolves.toBe(expected);
  });

  it('without a choice for the error lets it through', async () => {
    @Injectable()
    class Strict {
      @Fallback([{ on: [DatabaseError], handler: fallbackValue('database') }])
      async m(): Promise<string> {
        throw new Error('other');
      }
    }
    const { app } = await boot({ providers: [Strict] });
    await expect(app.get(Strict).m()).rejects.toThrow('other');
  });
});

describe('a fallback answers', () => {
  @Injectable()
  class S {
    @Fallback(({ rejected }) => (rejected ? 'rejected' : 'failed'))
    @CircuitBreaker({ name: 'shelf', consecutiveFailures: 1 })
    @Timeout('1s')
    async m(work: () => Promise<string>): Promise<string> {
      return work();
    }

    @Fallback(fallbackValue('answer'), { skip: [BadGatewayException], on: [NotFoundException] })
    async chosen(error: unknown): Promise<string> {
      throw error;
    }
  }

  it('failures and rejections of ours, an open circuit and a timeout among them', async () => {
    const { app, clock } = await boot({ providers: [S] });
    const slow = app.get(S).m(() => new Promise(() => {}));
    await clock.advance(1_000);
    await expect(slow).resolves.toBe('rejected');
    await expect(app.get(S).m(async () => 'unreached')).resolves.toBe('rejected');
    await clock.advance(5_000);
    await expect(app.get(S).m(() => Promise.reject(new Error('down')))).resolves.toBe('failed');
  });

  it.each([
    ['a 4xx', new NotFoundException()],
    ['a programmer error', new TypeError('x is not a function')],
  ])('no %s', async (_, error) => {
    const { app } = await boot({ providers: [S] });
    await expect(outcome(app.get(S).m(() => Promise.reject(error)))).resolves.toEqual({ error });
  });

  it('by on and skip', async () => {
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).chosen(new NotFoundException())).resolves.toBe('answer');
    await expect(app.get(S).chosen(new BadGatewayException())).rejects.toThrow(BadGatewayException);
  });

  it('nobody who has gone', async () => {
    let answers = 0;
    @Injectable()
    class Abortable {
      @Fallback(() => ++answers)
      async m(@Signal() signal?: AbortSignal): Promise<number> {
        await new Promise((_, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason as Error)),
        );
        return 0;
      }
    }
    const { app } = await boot({ providers: [Abortable] });
    const controller = new AbortController();
    const call = outcome(app.get(Abortable).m(controller.signal));
    controller.abort(new Error('gone'));
    expect((await call).error).toEqual(new Error('gone'));
    expect(answers).toBe(0);
  });
});

describe('a fallback that fails', () => {
  it('throws its own error, with the one that it was to answer as its cause', async () => {
    const original = new Error('down');
    @Injectable()
    class S {
      @Fallback(() => {
        throw new Error('fallback');
      })
      async m(): Promise<string> {
        throw original;
      }
    }
    const { app, events } = await boot({ providers: [S] });
    const { error } = await outcome(app.get(S).m());
    expect(error).toEqual(new Error('fallback'));
    expect((error as Error).cause).toBe(original);
    expect(of('fallback', events)).toMatchObject([{ outcome: 'failure', error: original }]);
  });

  it('as a stream throws its own error too, and counts as failed', async () => {
    const original = new Error('down');
    @Injectable()
    class S {
      @Fallback(() => throwError(() => new Error('fallback')))
      m(): Observable<number> {
        return throwError(() => original);
      }
    }
    const { app, events } = await boot({ providers: [S] });
    const { error } = await outcome(firstValueFrom(app.get(S).m()));
    expect(error).toEqual(new Error('fallback'));
    expect((error as Error).cause).toBe(original);
    expect(of('fallback', events)).toMatchObject([{ outcome: 'failure', error: original }]);
  });

  it('is asked once, and not retried', async () => {
    let asked = 0;
    @Injectable()
    class S {
      @Fallback(() => {
        asked += 1;
        throw new Error('fallback');
      })
      @Retry({ maxRetries: 2, backoff: constant('1s') })
      async m(): Promise<string> {
        throw new Error('down');
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    const call = outcome(app.get(S).m());
    await clock.advance(10_000);
    expect((await call).error).toEqual(new Error('fallback'));
    expect(asked).toBe(1);
  });
});

/** Stands for the cache of any Nest major: what it does is what a test sets. */
class FakeCache {
  readonly entries = new Map<string, unknown>();
  reads = 0;
  writes = 0;
  get = async (key: string): Promise<unknown> => {
    this.reads += 1;
    return this.entries.get(key);
  };
  set = async (key: string, entry: unknown, _ttl: number): Promise<unknown> => {
    this.writes += 1;
    return this.entries.set(key, entry);
  };
  del = async (key: string): Promise<unknown> => this.entries.delete(key);
}

describe('staleIfError()', () => {
  @Injectable()
  class S {
    error: unknown = undefined;
    stock: unknown = { title: 'Gophers at Sea' };

    @Fallback(staleIfError({ ttl: '10m' }))
    async book(_id: unknown, @Signal() _signal?: AbortSignal): Promise<unknown> {
      if (this.error !== undefined) throw this.error as Error;
      return this.stock;
    }

    @Fallback(staleIfError({ ttl: '10m', key: (id: number) => ['even', 'odd'][id % 2]! }))
    async keyed(id: number): Promise<number> {
      if (this.error !== undefined) throw this.error as Error;
      return id;
    }
  }

  async function bootWith(cache: object) {
    const provider = { provide: 'CACHE_MANAGER', useValue: cache };
    const booted = await boot({ providers: [S, provider] });
    return { ...booted, service: booted.app.get(S) };
  }

  const down = new Error('down');

  /** Loaded when needed: Jest cannot load the cache-manager of the older majors on each Node. */
  const cacheModule = (): object =>
    (require('@nestjs/cache-manager') as typeof cacheManager).CacheModule.register();

  it.each<[string, () => object]>([
    ...(nestMajor < 12
      ? []
      : ([['CacheModule of @nestjs/cache-manager', cacheModule]] as [string, () => object][])),
    [
      'a cache of another make',
      () => ({
        module: class {},
        providers: [{ provide: 'CACHE_MANAGER', useValue: new FakeCache() }],
      }),
    ],
  ])('answers with the last good result, and says how old it is (%s)', async (_, module) => {
    const { app, clock, events } = await boot({ imports: [module() as never], providers: [S] });
    const service = app.get(S);
    await service.book(1);
    await settle();
    await clock.advance(90_000);
    service.error = down;
    const { value: book, calls } = await withReport(() => service.book(1));
    expect(book).toEqual({ title: 'Gophers at Sea' });
    expect(calls).toMatchObject([{ source: 'stale', ageMs: 90_000, outcome: 'success' }]);
    expect(of('fallback', events)).toEqual([
      {
        type: 'fallback',
        name: 'S.book',
        handler: 'staleIfError',
        outcome: 'success',
        error: down,
        stale: true,
        ageMs: 90_000,
      },
    ]);
  });

  it('answers with a copy, so that nobody changes what others get', async () => {
    const { service } = await bootWith(new FakeCache());
    const first = await service.book(1);
    (first as Book & { title: string }).title = 'scribbled on';
    service.error = down;
    const second = await service.book(1);
    expect(second).toEqual({ title: 'Gophers at Sea' });
    expect(await service.book(1)).not.toBe(second);
  });

  it('has no result of other arguments, nor of null for undefined', async () => {
    const { service } = await bootWith(new FakeCache());
    await service.book(1);
    service.error = down;
    await expect(service.book(2)).rejects.toBe(down);
    await expect(service.book('1')).rejects.toBe(down);
    await expect(service.book(undefined)).rejects.toBe(down);
  });

  it.each([
    ['URLSearchParams', new URLSearchParams('user=anna'), new URLSearchParams('user=bob')],
    ['null and NaN', null, NaN],
  ])('tells arguments apart that are the same in JSON: %s', async (_, one, other) => {
    const { service } = await bootWith(new FakeCache());
    await service.book(one);
    await settle();
    service.error = down;
    await expect(service.book(other)).rejects.toBe(down);
  });

  it('takes results by a key function', async () => {
    const { service } = await bootWith(new FakeCache());
    await service.keyed(1);
    service.error = down;
    await expect(service.keyed(3)).resolves.toBe(1);
    await expect(service.keyed(2)).rejects.toBe(down);
  });

  it("finds the result of a call whatever the caller's signal", async () => {
    const { service } = await bootWith(new FakeCache());
    await service.book(1);
    service.error = down;
    await expect(service.book(1, new AbortController().signal)).resolves.toEqual(service.stock);
  });

  it.each([
    ['an instance of a class', new (class Id {})()],
    ['a function', () => 1],
    ['a symbol as a key', { [Symbol('id')]: 1 }],
  ])('keeps nothing under arguments that make no key: %s', async (_, id) => {
    const cache = new FakeCache();
    const { service, events } = await bootWith(cache);
    await expect(service.book(id)).resolves.toEqual(service.stock);
    expect(cache.writes).toBe(0);
    service.error = down;
    await expect(service.book(id)).rejects.toBe(down);
    expect(of('cache-error', events).map(({ operation }) => operation)).toEqual(['write', 'read']);
  });

  it('keeps nothing when the key function gives no string, which all callers would share', async () => {
    const cache = new FakeCache();
    const { service } = await bootWith(cache);
    await service.keyed(0.5);
    expect(cache.writes).toBe(0);
    service.error = down;
    await expect(service.keyed(0.5)).rejects.toBe(down);
  });

  it('throws the original error, as it is, when the cache is cold', async () => {
    const { service, events } = await bootWith(new FakeCache());
    service.error = down;
    await expect(service.book(1)).rejects.toBe(down);
    expect(down.cause).toBeUndefined();
    expect(of('fallback', events)).toMatchObject([{ outcome: 'failure', error: down }]);
  });

  it('is over when ttl has passed, whatever the cache thinks', async () => {
    const { service, clock } = await bootWith(new FakeCache());
    await service.book(1);
    await clock.advance(600_001);
    service.error = down;
    await expect(service.book(1)).rejects.toBe(down);
  });

  it('throws the original error when the cache fails', async () => {
    const cache = new FakeCache();
    cache.get = () => Promise.reject(new Error('redis'));
    cache.set = () => {
      throw new Error('redis');
    };
    const { service, events } = await bootWith(cache);
    await expect(service.book(1)).resolves.toEqual(service.stock);
    service.error = down;
    await expect(service.book(1)).rejects.toBe(down);
    expect(of('cache-error', events).map(({ operation }) => operation)).toEqual(['write', 'read']);
  });

  it('waits no longer than readTimeout for a cache that hangs', async () => {
    const cache = new FakeCache();
    const { service, clock, events } = await bootWith(cache);
    await service.book(1);
    cache.get = () => new Promise(() => {});
    service.error = down;
    let ended = false;
    const call = outcome(service.book(1)).finally(() => (ended = true));
    await clock.advance(249);
    expect(ended).toBe(false);
    await clock.advance(1);
    expect((await call).error).toBe(down);
    expect(of('cache-error', events)).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('does not pile up reads of a frozen cache', async () => {
    const cache = new FakeCache();
    let reads = 0;
    cache.get = () => {
      reads += 1;
      return new Promise(() => {});
    };
    const { service, clock } = await bootWith(cache);
    service.error = down;
    const calls = Array.from({ length: 100 }, () => outcome(service.book(1)));
    await clock.advance(250);
    await Promise.all(calls);
    expect(reads).toBe(1);
    const later = outcome(service.book(1));
    await settle();
    expect((await later).error).toBe(down); // at once: that read has had its time
  });

  it('never waits for a write, and writes the newest result when the cache thaws', async () => {
    const cache = new FakeCache();
    const frozen = deferred();
    const written: unknown[] = [];
    cache.set = async (key, entry) => {
      await frozen.promise;
      written.push((JSON.parse((entry as { json: string }).json) as Book).title);
      return cache.entries.set(key, entry);
    };
    const { service } = await bootWith(cache);
    for (const title of ['one', 'two', 'three']) {
      service.stock = { title };
      await expect(service.book(1)).resolves.toEqual({ title });
    }
    frozen.resolve();
    await settle();
    expect(written).toEqual(['one', 'three']);
  });

  it.each([
    ['undefined', undefined, 0],
    ['null', null, 1],
    ['false', false, 1],
    ['an empty list', [], 1],
  ])('keeps %s as it came, if JSON can hold it', async (_, result, writes) => {
    const cache = new FakeCache();
    const { service } = await bootWith(cache);
    service.stock = result;
    await service.book(1);
    expect(cache.writes).toBe(writes);
    service.error = down;
    const { value: found, error } = await outcome(service.book(1));
    expect(writes === 0 ? error : found).toEqual(writes === 0 ? down : result);
  });

  it.each([
    ['something else', 'text'],
    ['half an entry', { json: '{"title":', storedAt: Date.UTC(2026, 0, 1) }],
    ['an entry without its time', { json: '{}' }],
  ])('is not poisoned by %s in the cache', async (_, entry) => {
    const cache = new FakeCache();
    cache.get = async () => entry;
    const { service } = await bootWith(cache);
    service.error = down;
    await expect(service.book(1)).rejects.toBe(down);
  });

  it.each([
    ['a failure', new Error('down')],
    ['a 404', new NotFoundException()],
  ])('keeps the last good result through %s', async (_, error) => {
    const cache = new FakeCache();
    const { service } = await bootWith(cache);
    await service.book(1);
    const before = [...cache.entries];
    service.error = error;
    await outcome(service.book(1));
    await outcome(service.book(1));
    expect([...cache.entries]).toEqual(before);
    expect(cache.writes).toBe(1);
  });

  it('does not keep a result that the circuit breaker takes for a failure', async () => {
    interface Answer {
      readonly error?: string;
    }
    @Injectable()
    class Guarded {
      answer: Answer | Error = {};

      @Fallback(staleIfError({ ttl: '10m' }))
      @CircuitBreaker({ onResult: (answer) => (answer as Answer).error !== undefined })
      async m(): Promise<Answer> {
        if (this.answer instanceof Error) throw this.answer;
        return this.answer;
      }
    }
    const cache = new FakeCache();
    const { app } = await boot({
      providers: [Guarded, { provide: 'CACHE_MANAGER', useValue: cache }],
    });
    const guarded = app.get(Guarded);
    await guarded.m();
    guarded.answer = { error: 'try later' };
    await expect(guarded.m()).resolves.toBe(guarded.answer);
    await settle();
    expect(cache.writes).toBe(1);
    guarded.answer = down;
    await expect(guarded.m()).resolves.toEqual({});
  });

  it('does not keep what another fallback has answered', async () => {
    @Injectable()
    class Two {
      @Fallback([
        { on: [TimeoutError], handler: staleIfError({ ttl: '1m' }) },
        { handler: fallbackValue('makeshift') },
      ])
      async m(error: unknown): Promise<string> {
        throw error;
      }
    }
    const cache = new FakeCache();
    const { app } = await boot({
      providers: [Two, { provide: 'CACHE_MANAGER', useValue: cache }],
    });
    await expect(app.get(Two).m(down)).resolves.toBe('makeshift');
    expect(cache.writes).toBe(0);
  });

  it('keeps single results of Observables, and no stream that goes on', async () => {
    @Injectable()
    class Streams {
      down = false;
      @Fallback(staleIfError({ ttl: '1m' }))
      single(): Observable<string> {
        if (this.down) throw down;
        return just('one');
      }
      @Fallback(staleIfError({ ttl: '1m' }))
      many(): Observable<number> {
        if (this.down) throw down;
        return concat(just(1), timer(1));
      }
      @Fallback(staleIfError({ ttl: '1m' }))
      async *items(): AsyncGenerator<number> {
        if (this.down) throw down;
        yield 1;
      }
    }
    const cache = new FakeCache();
    const { app } = await boot({
      providers: [Streams, { provide: 'CACHE_MANAGER', useValue: cache }],
    });
    const streams = app.get(Streams);
    await firstValueFrom(streams.single());
    await lastValueFrom(streams.many());
    for await (const item of streams.items()) expect(item).toBe(1);
    streams.down = true;
    await expect(firstValueFrom(streams.single())).resolves.toBe('one');
    await expect(firstValueFrom(streams.many())).rejects.toBe(down);
    await expect(streams.items().next()).rejects.toBe(down);
  });

  it('answers an open circuit at once', async () => {
    @Injectable()
    class Guarded {
      calls = 0;
      @Fallback(staleIfError({ ttl: '1m' }))
      @Retry({ backoff: constant('1s') })
      @CircuitBreaker({ name: 'shelf', consecutiveFailures: 1 })
      async m(): Promise<number> {
        this.calls += 1;
        return this.calls;
      }
    }
    const { app, registry, clock } = await boot({
      providers: [Guarded, { provide: 'CACHE_MANAGER', useValue: new FakeCache() }],
    });
    await app.get(Guarded).m();
    registry.get('shelf').forceOpen();
    await expect(app.get(Guarded).m()).resolves.toBe(1);
    expect(clock.pending).toBe(0);
    expect(app.get(Guarded).calls).toBe(1);
  });
});
