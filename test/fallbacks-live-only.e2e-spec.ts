import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type * as cacheManager from '@nestjs/cache-manager';
import { type Observable, map } from 'rxjs';
import {
  Fallback,
  Retry,
  constant,
  keepOnlyLive,
  staleIfError,
  fallbackValue,
  withReport,
} from '../src/index.js';
import { boot, closeAll, everyPlatform, nestMajor, serve } from './support/boot.js';
import { request } from './support/http.js';
import { MemoryCache } from './support/memory-cache.js';
import { settle } from './support/wait.js';

afterEach(closeAll);

const down = new Error('down');
const dependency = { down: false, calls: 0 };

beforeEach(() => {
  dependency.down = false;
  dependency.calls = 0;
});

async function ask<T>(answer: T): Promise<T> {
  dependency.calls += 1;
  if (dependency.down) throw down;
  return answer;
}

describe('a result made of answers that are not live', () => {
  /** Prices of two services; the inner one may give answers that are not live. */
  function services(inner: MethodDecorator) {
    @Injectable()
    class Stock {
      @inner
      async count(): Promise<number> {
        return ask(5);
      }

      spare(): number {
        return 0;
      }
    }
    @Injectable()
    class Shop {
      closed = false;
      attempts = 0;

      constructor(readonly stock: Stock) {}

      @Fallback(staleIfError({ ttl: '1h' }))
      async shelf(): Promise<object> {
        if (this.closed) throw down;
        return { count: await this.between() };
      }

      @Retry({ maxRetries: 0 })
      async between(): Promise<number> {
        return this.stock.count();
      }

      @Fallback(staleIfError({ ttl: '1h' }))
      @Retry({ maxRetries: 1, backoff: constant('1s') })
      async retried(): Promise<object> {
        if (this.closed) throw down;
        this.attempts += 1;
        dependency.down = this.attempts % 2 === 1;
        const count = await this.stock.count();
        if (dependency.down) throw down;
        return { count };
      }
    }
    return { Stock, Shop };
  }

  it('is not stored as new: the answer of a nested staleIfError', async () => {
    const { Stock, Shop } = services(Fallback(staleIfError({ ttl: '1h' })) as never);
    const cache = new MemoryCache();
    const { app, clock } = await boot({
      providers: [cache.provider, Stock, { provide: Shop, useFactory: (stock: never) => new Shop(stock), inject: [Stock] }], // prettier-ignore
    });
    const shop = app.get(Shop);
    await shop.shelf();
    await settle();
    await clock.advance(50 * 60_000);
    dependency.down = true;
    const { calls } = await withReport(() => shop.shelf());
    expect(calls).toMatchObject([
      { name: 'Stock.count', source: 'stale', ageMs: 3_000_000 },
      { name: 'Shop.between', source: 'live' },
      { name: 'Shop.shelf', source: 'stale', ageMs: 3_000_000 },
    ]);
    await settle();
    await clock.advance(9 * 60_000);
    shop.closed = true;
    const late = await withReport(() => shop.shelf());
    expect(late.calls).toMatchObject([{ source: 'stale', ageMs: 59 * 60_000 }]);
    await clock.advance(2 * 60_000);
    await expect(shop.shelf()).rejects.toBe(down);
  });

  it.each<[string, MethodDecorator]>([
    ['a value', Fallback(fallbackValue(0)) as never],
    ['a method', Fallback('spare' as never) as never],
    ['a function', Fallback(() => 0) as never],
  ])('is not stored, whatever answered: %s', async (_what, inner) => {
    const { Stock, Shop } = services(inner);
    const cache = new MemoryCache();
    const { app } = await boot({
      providers: [cache.provider, Stock, { provide: Shop, useFactory: (stock: never) => new Shop(stock), inject: [Stock] }], // prettier-ignore
    });
    const shop = app.get(Shop);
    dependency.down = true;
    const { value: shelf, calls } = await withReport(() => shop.shelf());
    expect(shelf).toEqual({ count: 0 });
    expect(calls.at(-1)).toMatchObject({ name: 'Shop.shelf', source: 'fallback' });
    await settle();
    expect(cache.entries.size).toBe(0);
    dependency.down = false;
    await shop.shelf();
    await settle();
    dependency.down = true;
    await shop.shelf();
    await settle();
    shop.closed = true;
    await expect(shop.shelf()).resolves.toEqual({ count: 5 });
  });

  it('is stored if only another attempt was not live', async () => {
    const { Stock, Shop } = services(Fallback(fallbackValue(0)) as never);
    const { app, clock } = await boot({
      providers: [new MemoryCache().provider, Stock, { provide: Shop, useFactory: (stock: never) => new Shop(stock), inject: [Stock] }], // prettier-ignore
    });
    const shop = app.get(Shop);
    const call = shop.retried();
    await clock.advance(1_000);
    await expect(call).resolves.toEqual({ count: 5 });
    await settle();
    shop.closed = true;
    const late = shop.retried();
    await clock.advance(1_000);
    await expect(late).resolves.toEqual({ count: 5 });
  });
});

it('a newest result that cannot be kept invalidates the older one', async () => {
  @Injectable()
  class Books {
    found: unknown = 'old';
    @Fallback(staleIfError({ ttl: '1h' }))
    async find(): Promise<unknown> {
      return ask(this.found);
    }
  }
  const { app } = await boot({ providers: [new MemoryCache().provider, Books] });
  const books = app.get(Books);
  await books.find();
  await settle();
  books.found = undefined;
  await books.find();
  dependency.down = true;
  await expect(books.find()).rejects.toBe(down);
  await settle();
  await expect(books.find()).rejects.toBe(down);
});

// Jest cannot load the cache-manager that belongs to Nest 10 and 11 on each Node.
(nestMajor < 12 ? describe.skip : describe)("Nest's CacheInterceptor", () => {
  /** Loaded when needed: Jest cannot load the cache-manager of the older majors on each Node. */
  const { CacheInterceptor, CacheModule } =
    nestMajor < 12
      ? ({} as typeof cacheManager)
      : (require('@nestjs/cache-manager') as typeof cacheManager);

  @Injectable()
  class Service {
    @Fallback(() => ['from the service'])
    async degraded(): Promise<string[]> {
      return ask(['live']);
    }
  }

  @Injectable()
  class Envelope implements NestInterceptor {
    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      return next.handle().pipe(map((data: unknown) => ({ data })));
    }
  }

  /** The recipe of docs/fallback.md. */
  function liveCacheInterceptor() {
    @Injectable()
    class LiveCacheInterceptor extends CacheInterceptor {
      override async intercept(context: ExecutionContext, next: CallHandler) {
        return keepOnlyLive(next, (live) => super.intercept(context, live));
      }
    }
    return LiveCacheInterceptor;
  }

  const bodyOf = async (url: string): Promise<unknown> => {
    const { body } = await request(url).answer;
    await settle();
    return JSON.parse(body) as unknown;
  };

  describe.each(everyPlatform)('on %s', (platform) => {
    it.each<[string, unknown]>([
      ['a value', fallbackValue(['degraded'])],
      ['a function', () => ['degraded']],
      ['a method', 'spare'],
    ])('on the method stores no answer of %s', async (_what, handler) => {
      @Controller()
      class Books {
        @Get('before')
        @UseInterceptors(CacheInterceptor)
        @(Fallback(handler as never) as any)
        async before(): Promise<string[]> {
          return ask(['live']);
        }

        @(Fallback(handler as never) as any)
        @UseInterceptors(Envelope, CacheInterceptor)
        @Get('after')
        async after(): Promise<string[]> {
          return ask(['live']);
        }

        spare(): string[] {
          return ['degraded'];
        }
      }
      const { url } = await serve(platform, {
        imports: [CacheModule.register()],
        controllers: [Books],
      });
      dependency.down = true;
      await expect(bodyOf(`${url}/before`)).resolves.toEqual(['degraded']);
      await expect(bodyOf(`${url}/after`)).resolves.toEqual({ data: ['degraded'] });
      dependency.down = false;
      await expect(bodyOf(`${url}/before`)).resolves.toEqual(['live']);
      await expect(bodyOf(`${url}/after`)).resolves.toEqual({ data: ['live'] });
      const { calls } = dependency;
      dependency.down = true;
      await expect(bodyOf(`${url}/before`)).resolves.toEqual(['live']);
      await expect(bodyOf(`${url}/after`)).resolves.toEqual({ data: ['live'] });
      expect(dependency.calls).toBe(calls);
    });

    it('on the method stores no answer made of a fallback of a service', async () => {
      @Controller()
      class Books {
        constructor(readonly service: Service) {}

        @Get()
        @Retry()
        @UseInterceptors(CacheInterceptor)
        all(): Promise<string[]> {
          return this.service.degraded();
        }
      }
      Reflect.defineMetadata('design:paramtypes', [Service], Books);
      const { url } = await serve(platform, {
        imports: [CacheModule.register()],
        controllers: [Books],
        providers: [Service],
      });
      dependency.down = true;
      await expect(bodyOf(url)).resolves.toEqual(['from the service']);
      dependency.down = false;
      await expect(bodyOf(url)).resolves.toEqual(['live']);
    });

    it.each(['on the controller', 'global'])(
      '%s, as the docs have it, stores live answers only',
      async (where) => {
        const Live = liveCacheInterceptor();
        @(where === 'global' ? () => {} : UseInterceptors(Live))
        @Controller()
        class Books {
          constructor(readonly service: Service) {}

          @Get('value')
          @Fallback(fallbackValue(['degraded']))
          async value(): Promise<string[]> {
            return ask(['live']);
          }

          @Get('stale')
          @Fallback(staleIfError({ ttl: '1h', key: () => '' }))
          async stale(): Promise<number> {
            return ask(dependency.calls);
          }

          @Get('service')
          service_(): Promise<string[]> {
            return this.service.degraded();
          }

          @Get('plain')
          async plain(): Promise<number> {
            return ask(dependency.calls);
          }
        }
        const { app, url } = await serve(platform, {
          imports: [CacheModule.register()],
          controllers: [Books],
          providers: [
            Service,
            ...(where === 'global' ? [{ provide: APP_INTERCEPTOR, useClass: Live }] : []),
          ],
        });
        dependency.down = true;
        await expect(bodyOf(`${url}/value`)).resolves.toEqual(['degraded']);
        await expect(bodyOf(`${url}/service`)).resolves.toEqual(['from the service']);
        dependency.down = false;
        await expect(bodyOf(`${url}/value`)).resolves.toEqual(['live']);
        await expect(bodyOf(`${url}/service`)).resolves.toEqual(['live']);
        const first = await bodyOf(`${url}/plain`);
        await expect(bodyOf(`${url}/plain`)).resolves.toEqual(first);
        const kept = await bodyOf(`${url}/stale`);
        await app.get<{ del(key: string): Promise<unknown> }>('CACHE_MANAGER').del('/stale');
        dependency.down = true;
        await expect(bodyOf(`${url}/stale`)).resolves.toEqual(kept);
        dependency.down = false;
        await expect(bodyOf(`${url}/stale`)).resolves.not.toEqual(kept);
      },
    );
  });
});
