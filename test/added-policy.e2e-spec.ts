import { Controller, Get, Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  ResilienceService,
  Retry,
  constant,
  overridesFromEnv,
  withReport,
} from '../src/index.js';
import { HystrixStreamModule } from '../src/hystrix-stream/index.js';
import { type Booted, boot, closeAll, everyPlatform, of, serve } from './support/boot.js';
import { bootService, problemsBy, problemsOf } from './support/commands.js';
import { read } from './support/hystrix.js';
import { OpeningHours, type OpeningHoursOptions } from './support/opening-hours.js';
import { Quota } from './support/quota/quota.decorator.js';
import type { QuotaOptions } from './support/quota/options.js';
import { until } from './support/wait.js';

/*
 * Policies that the library does not know are added as its own are: a folder, a line in the canonical order, a decorator.
 * Everything else has to take them as they come.
 */

jest.mock('../src/policies/canonical-order', () => {
  const actual = jest.requireActual('../src/policies/canonical-order');
  const { quotaPolicy } = jest.requireActual('./support/quota/quota.policy');
  const { openingHoursPolicy } = jest.requireActual('./support/opening-hours');
  const added = [quotaPolicy, openingHoursPolicy].map((policy) => [policy.kind, policy] as const);
  return {
    ...actual,
    policies: new Map([...actual.policies, ...added]),
    stageOrder: [...actual.stageOrder, 'quota', 'opening hours'], // innermost
  };
});

afterEach(closeAll);

/** Options that the types of the library do not have. */
const limited = (options: number | QuotaOptions | { enabled: boolean }): object => ({
  quota: options,
});
const open = (hours: OpeningHoursOptions['hours']): object => ({ openingHours: { hours } });

@Injectable()
class Shelf {
  @Quota(2)
  async books(): Promise<string> {
    return 'books';
  }

  @Quota({ per: '2s' })
  async shelves(): Promise<string> {
    return 'shelves';
  }

  @Fallback((_context: unknown) => 'nothing')
  @Retry({ maxRetries: 1, backoff: constant('10ms') })
  @CircuitBreaker({ name: 'authors', consecutiveFailures: 2 })
  @Quota({ limit: 1 })
  async authors(): Promise<string> {
    return 'authors';
  }
}

@Injectable()
class Covers {
  @Quota({ config: 'small' })
  async list(): Promise<string> {
    return 'covers';
  }
}

@Injectable()
class Desk {
  @OpeningHours({ hours: { from: '2s' } })
  async ask(): Promise<string> {
    return 'asked';
  }
}

async function shelf(resilience: object = {}): Promise<Booted & { readonly shelf: Shelf }> {
  const booted = await boot({ resilience, providers: [Shelf] });
  return { ...booted, shelf: booted.app.get(Shelf) };
}

const rejection = { policy: 'quota', code: 'QUOTA_EXCEEDED' };
const limitedError = { ...rejection, status: 429 };

describe('an added policy', () => {
  it('rejects calls of a decorated method, with events, and later admits them again', async () => {
    const { shelf: books, clock, events } = await shelf();
    await books.books();
    await books.books();
    await expect(books.books()).rejects.toMatchObject({ ...limitedError, retryAfterMs: 1_000 });
    expect(of('rejected', events)).toEqual([
      { type: 'rejected', name: 'Shelf.books', ...rejection, retryAfterMs: 1_000 },
    ]);
    await clock.advance(1_000);
    await expect(books.books()).resolves.toBe('books');
  });

  it('covers the methods of a class', async () => {
    @Quota(1)
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
      @Quota(1)
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

  it('has its place among the others: neither retried nor counted by the breaker, but answered', async () => {
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

  it('is described, merged with defaults and overridden like the others', async () => {
    const { shelf: books, service } = await shelf({
      defaults: limited({ limit: 7 }),
      overrides: {
        'Shelf.books': limited({ limit: 1 }),
        'Shelf.authors': limited({ enabled: false }),
      },
    });
    expect(service.describe(Shelf, 'books')).toEqual({
      name: 'Shelf.books',
      stages: ['quota'],
      policies: [{ kind: 'quota', options: { limit: 1 } }],
    });
    expect(service.describe(Shelf, 'authors').stages).toEqual([
      'fallback',
      'retry',
      'circuit breaker',
    ]);
    expect(service.describe(Shelf, 'shelves').policies).toEqual([
      { kind: 'quota', options: { limit: 7, per: '2s' } },
    ]);
    await books.books();
    await expect(books.books()).rejects.toMatchObject(limitedError);
  });

  it('takes options from a named configuration', async () => {
    const configs = { small: limited(1) };
    const { app } = await boot({ resilience: { configs }, providers: [Covers] });
    expect(app.get(ResilienceService).describe(Covers, 'list').policies).toEqual([
      { kind: 'quota', options: { limit: 1 } },
    ]);
    const covers = app.get(Covers);
    await covers.list();
    await expect(covers.list()).rejects.toMatchObject(limitedError);
  });

  it('has nested options merged', async () => {
    const { app, clock } = await boot({
      providers: [Desk],
      resilience: {
        defaults: open({ from: '5s', to: '9s' }),
        overrides: { 'Desk.ask': open({ to: '4s' }) },
      },
    });
    expect(app.get(ResilienceService).describe(Desk, 'ask')).toEqual({
      name: 'Desk.ask',
      stages: ['opening hours'],
      policies: [{ kind: 'openingHours', options: { hours: { from: '2s', to: '4s' } } }],
    });
    const desk = app.get(Desk);
    await expect(desk.ask()).rejects.toMatchObject({ code: 'CLOSED', retryAfterMs: 2_000 });
    await clock.advance(2_000);
    await expect(desk.ask()).resolves.toBe('asked');
    await clock.advance(2_000);
    await expect(desk.ask()).rejects.toMatchObject({ code: 'CLOSED', retryAfterMs: undefined });
  });

  it('is overridden by environment variables', async () => {
    const { service } = await boot({
      providers: [Shelf],
      resilience: {
        overrides: overridesFromEnv({
          RESILIENCE__SHELF__BOOKS__QUOTA: '5',
          RESILIENCE__SHELF__BOOKS__QUOTA__PER: '3s',
        }),
      },
    });
    expect(service.describe(Shelf, 'books').policies).toEqual([
      { kind: 'quota', options: { limit: 5, per: '3s' } },
    ]);
  });

  it('cannot be overridden by variables when its options have no shape', async () => {
    const overrides = overridesFromEnv({ RESILIENCE__DESK__OPENING_HOURS__HOURS__TO: '4s' });
    expect(await problemsOf({ providers: [Desk], resilience: { overrides } })).toEqual([
      `ResilienceModule.forRoot(): RESILIENCE__DESK__OPENING_HOURS__HOURS__TO is '4s', but no variable can give options of openingHours; give them in code`,
    ]);
  });

  it('is checked only with its methods, if so declared', async () => {
    const pipelines = { unused: open({ from: '1s' }) };
    const { service } = await bootService({ pipelines });
    expect(problemsBy(() => service.pipeline('unused'))).toEqual([
      `pipeline 'unused' openingHours: opening hours are for methods and commands`,
    ]);
  });

  it('has its options checked at the start, with those of the others', async () => {
    class Wrong {
      @Quota({ limit: 0, burst: 1 } as QuotaOptions)
      async list(): Promise<void> {}
    }
    expect(await problemsOf({ providers: [Wrong] })).toEqual([
      expect.stringMatching(/^Wrong\.list @Quota.*limit/),
      expect.stringMatching(/^Wrong\.list @Quota.*burst/),
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
    const advice = service.command('advice', { run: async () => '42', ...open({ from: '3s' }) });
    expect(advice.snapshot()).toMatchObject({ opensAfterMs: 3_000, circuitBreaker: undefined });
    expect(command.snapshot()).not.toHaveProperty('opensAfterMs');
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
