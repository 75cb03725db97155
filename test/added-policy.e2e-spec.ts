import { Controller, Get, Injectable } from '@nestjs/common';
import { CircuitBreaker, Fallback, Retry, constant, withReport } from '../src/index.js';
import { HystrixStreamModule } from '../src/hystrix-stream/index.js';
import { type Booted, boot, closeAll, everyPlatform, of, serve } from './support/boot.js';
import { bootService, problemsOf } from './support/commands.js';
import { read } from './support/hystrix.js';
import { RateLimit } from './support/rate-limit/rate-limit.decorator.js';
import type { RateLimitOptions } from './support/rate-limit/rate-limit.policy.js';
import { until } from './support/wait.js';

/*
 * A policy that the library does not know is added as its own are: a folder, a line in the canonical order, a decorator.
 * Everything else has to take it as it comes.
 */

jest.mock('../src/policies/canonical-order', () => {
  const actual = jest.requireActual('../src/policies/canonical-order');
  const { rateLimitPolicy } = jest.requireActual('./support/rate-limit/rate-limit.policy');
  return {
    ...actual,
    policies: new Map([...actual.policies, [rateLimitPolicy.kind, rateLimitPolicy]]),
    stageOrder: [...actual.stageOrder, 'rate limit'], // innermost
  };
});

afterEach(closeAll);

/** Options that the types of the library do not have. */
const limited = (options: number | RateLimitOptions | false): object => ({ rateLimit: options });

@Injectable()
class Shelf {
  @RateLimit(2)
  async books(): Promise<string> {
    return 'books';
  }

  @RateLimit({ period: { seconds: 2 } })
  async shelves(): Promise<string> {
    return 'shelves';
  }

  @Fallback((_context: unknown) => 'nothing')
  @Retry({ maxRetries: 1, backoff: constant('10ms') })
  @CircuitBreaker({ name: 'authors', consecutiveFailures: 2 })
  @RateLimit({ limit: 1 })
  async authors(): Promise<string> {
    return 'authors';
  }
}

async function shelf(resilience: object = {}): Promise<Booted & { readonly shelf: Shelf }> {
  const booted = await boot({ resilience, providers: [Shelf] });
  return { ...booted, shelf: booted.app.get(Shelf) };
}

const limitedError = { code: 'RATE_LIMITED', policy: 'rateLimit', status: 429 };

describe('an added policy', () => {
  it('turns calls of a decorated method away, says so in events, and lets them in again', async () => {
    const { shelf: books, clock, events } = await shelf();
    await books.books();
    await books.books();
    await expect(books.books()).rejects.toMatchObject({ ...limitedError, retryAfterMs: 1_000 });
    expect(of('rejected', events)).toEqual([
      { type: 'rejected', name: 'Shelf.books', policy: 'rateLimit', code: 'RATE_LIMITED' },
    ]);
    await clock.advance(1_000);
    await expect(books.books()).resolves.toBe('books');
  });

  it('covers the methods of a class', async () => {
    @RateLimit(1)
    class Limited {
      async a(): Promise<number> {
        return 1;
      }

      async b(): Promise<number> {
        return 2;
      }
    }
    const { app } = await boot({ providers: [Limited] });
    const limitedClass = app.get(Limited);
    await limitedClass.a();
    await expect(limitedClass.a()).rejects.toMatchObject(limitedError);
    await expect(limitedClass.b()).resolves.toBe(2);
  });

  it('answers a request to a handler with its status and Retry-After', async () => {
    @Controller()
    class Books {
      @Get()
      @RateLimit(1)
      async list(): Promise<string> {
        return 'books';
      }
    }
    for (const platform of everyPlatform) {
      const { url } = await serve(platform, { controllers: [Books] });
      expect((await fetch(url)).status).toBe(200);
      const second = await fetch(url);
      expect([second.status, second.headers.get('retry-after')]).toEqual([429, '1']);
    }
  });

  it('stands among the others: neither retried nor held against the breaker, but answered', async () => {
    const { shelf: books, registry, events } = await shelf();
    await expect(books.authors()).resolves.toBe('authors');
    for (let call = 0; call < 5; call++) await expect(books.authors()).resolves.toBe('nothing');
    expect(of('retry', events)).toEqual([]);
    const { state, metrics } = registry.get('authors').snapshot();
    expect(state).toBe('closed');
    expect(metrics.counts).toMatchObject({
      success: 1,
      failure: 0,
      rejected: { circuitOpen: 0, bulkheadFull: 0, other: 5 },
      fallback: { success: 5 },
    });
  });

  it('is described, merged with defaults and overridden as the others are', async () => {
    const { shelf: books, service } = await shelf({
      defaults: limited({ limit: 7 }),
      overrides: { 'Shelf.books': limited({ limit: 1 }), 'Shelf.authors': limited(false) },
    });
    expect(service.describe(Shelf, 'books')).toEqual({
      name: 'Shelf.books',
      stages: ['rate limit'],
      policies: [{ kind: 'rateLimit', options: { limit: 1 } }],
    });
    expect(service.describe(Shelf, 'authors').stages).toEqual([
      'fallback',
      'retry',
      'circuit breaker',
    ]);
    expect(service.describe(Shelf, 'shelves').policies).toEqual([
      { kind: 'rateLimit', options: { limit: 7, period: { seconds: 2 } } },
    ]);
    await books.books();
    await expect(books.books()).rejects.toMatchObject(limitedError);
  });

  it('has the options merged that are objects themselves', async () => {
    const { shelf: books, service } = await shelf({
      defaults: limited({ period: { seconds: 5, offset: 3 } }),
      overrides: { 'Shelf.shelves': limited({ limit: 1, period: { offset: 4 } }) },
    });
    expect(service.describe(Shelf, 'shelves').policies).toEqual([
      { kind: 'rateLimit', options: { limit: 1, period: { seconds: 2, offset: 4 } } },
    ]);
    await books.shelves();
    await expect(books.shelves()).rejects.toMatchObject({ retryAfterMs: 2_000 });
  });

  it('is not checked apart from the methods that it is for, when it says so', async () => {
    const pipelines = { unused: limited(13) };
    await expect(shelf({ pipelines })).resolves.toMatchObject({ shelf: expect.any(Shelf) });
  });

  it('has its options checked at the start, with those of the others', async () => {
    class Wrong {
      @RateLimit({ limit: 0, burst: 1 } as RateLimitOptions)
      async list(): Promise<void> {}
    }
    expect(await problemsOf({ providers: [Wrong] })).toEqual([
      expect.stringMatching(/^Wrong\.list @RateLimit.*limit/),
      expect.stringMatching(/^Wrong\.list @RateLimit.*burst/),
    ]);
  });

  it('works in commands and pipelines, and is counted', async () => {
    const { service } = await bootService({ pipelines: { books: limited(1) } });
    const command = service.command('books', { run: async () => 'books', ...limited(1) });
    await command.execute();
    await expect(command.execute()).rejects.toMatchObject(limitedError);
    expect(command.snapshot().metrics.counts).toMatchObject({
      success: 1,
      rejected: { circuitOpen: 0, bulkheadFull: 0, other: 1 },
      fallback: { missing: 1 },
    });
    expect(command.snapshot()).toMatchObject({ limit: 1, circuitBreaker: undefined });
    const pipeline = service.pipeline('books');
    await pipeline.execute(() => 1);
    await expect(pipeline.execute(() => 2)).rejects.toMatchObject(limitedError);
  });

  it('is in reports', async () => {
    const { shelf: books } = await shelf();
    await books.authors();
    const { calls } = await withReport(() => books.authors());
    expect(calls).toMatchObject([
      { name: 'Shelf.authors', attempts: 1, source: 'fallback', outcome: 'success' },
    ]);
  });

  it('is in the Hystrix stream', async () => {
    const { url, app } = await serve('Express', {
      imports: [HystrixStreamModule.forRoot({ interval: '5ms' })],
      providers: [Shelf],
    });
    const books = app.get(Shelf);
    for (let call = 0; call < 4; call++) await books.authors();
    const reader = await read(`${url}/hystrix.stream`);
    await until(() => reader.events.length > 0);
    reader.disconnect();
    expect(reader.events[0]).toMatchObject({
      name: 'authors',
      rollingCountSuccess: 1,
      rollingCountSemaphoreRejected: 3,
      rollingCountFallbackSuccess: 3,
    });
  });
});
