import { Injectable, NotFoundException } from '@nestjs/common';
import type * as cacheManager from '@nestjs/cache-manager';
import {
  CircuitBreaker,
  Fallback,
  Retry,
  Signal,
  TimeoutError,
  constant,
  staleIfError,
  fallbackValue,
  withReport,
} from '../src/index.js';
import { Observable, concat, firstValueFrom, lastValueFrom, of as just, timer } from 'rxjs';
import { boot, closeAll, nestMajor, of } from './support/boot.js';
import { deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

interface Book {
  readonly title: string;
}

/** Replaces the cache of any Nest major; a test sets its behaviour. */
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
  ])('answers with the last good result, and reports its age (%s)', async (_, module) => {
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

  it('answers with a copy, so that callers cannot change the results of others', async () => {
    const { service } = await bootWith(new FakeCache());
    const first = await service.book(1);
    (first as Book & { title: string }).title = 'scribbled on';
    service.error = down;
    const second = await service.book(1);
    expect(second).toEqual({ title: 'Gophers at Sea' });
    expect(await service.book(1)).not.toBe(second);
  });

  it('has no result for other arguments, or of null for undefined', async () => {
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
  ])('distinguishes arguments that are equal in JSON: %s', async (_, one, other) => {
    const { service } = await bootWith(new FakeCache());
    await service.book(one);
    await settle();
    service.error = down;
    await expect(service.book(other)).rejects.toBe(down);
  });

  it('finds results by a key function', async () => {
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
  ])('keeps nothing for arguments without a key: %s', async (_, id) => {
    const cache = new FakeCache();
    const { service, events } = await bootWith(cache);
    await expect(service.book(id)).resolves.toEqual(service.stock);
    expect(cache.writes).toBe(0);
    service.error = down;
    await expect(service.book(id)).rejects.toBe(down);
    expect(of('cache-error', events).map(({ operation }) => operation)).toEqual(['write', 'read']);
  });

  it('keeps nothing when the key function gives an invalid key, which all callers would share', async () => {
    const cache = new FakeCache();
    const { service } = await bootWith(cache);
    await service.keyed(0.5);
    expect(cache.writes).toBe(0);
    service.error = down;
    await expect(service.keyed(0.5)).rejects.toBe(down);
  });

  it('throws the original error unchanged when the cache is cold', async () => {
    const { service, events } = await bootWith(new FakeCache());
    service.error = down;
    await expect(service.book(1)).rejects.toBe(down);
    expect(down.cause).toBeUndefined();
    expect(of('fallback', events)).toMatchObject([{ outcome: 'failure', error: down }]);
  });

  it('expires after ttl, whatever the cache does', async () => {
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

  it('waits at most readTimeout for a cache that hangs', async () => {
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
  ])('keeps %s unchanged, if JSON can hold it', async (_, result, writes) => {
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

  it('does not keep a result that is a failure for the circuit breaker', async () => {
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

  it('does not keep the answer of another fallback', async () => {
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

  it('keeps single results of Observables, but no longer streams', async () => {
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
