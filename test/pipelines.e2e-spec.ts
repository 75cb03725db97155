import { BadGatewayException, Controller, Get, Inject, Injectable } from '@nestjs/common';
import {
  BulkheadFullError,
  CircuitOpenError,
  type NamedPipeline,
  type ResilienceModuleOptions,
  ResilienceService,
  Retry,
  UsePipeline,
  constant,
  hystrix,
  staleIfError,
  fallbackValue,
} from '../src/index.js';
import { boot, closeAll, everyPlatform, of, serve } from './support/boot.js';
import {
  bootService,
  cached,
  commandOf,
  down,
  hang,
  making,
  problemsBy,
  problemsOf,
  wrong,
} from './support/commands.js';
import { request } from './support/http.js';
import { retry, Storage } from './support/pipelines.js';
import { policyNames, stageNames } from './support/policy-lists.js';
import { Visits, deferred, outcome, settle, until } from './support/wait.js';

afterEach(closeAll);

describe('a pipeline of the service', () => {
  it('is the same for the same name', async () => {
    const { service } = await bootService();
    const options = { retry, circuitBreaker: {}, bulkhead: 3 };
    const pipeline = service.pipeline('p', options);
    expect(service.pipeline('p', { ...options, bulkhead: { maxConcurrent: 3 } })).toBe(pipeline);
    expect(service.pipeline('p')).toBe(pipeline);
    expect(service.pipeline('q', options)).not.toBe(pipeline);
  });

  it('is refused with other options, which are listed', async () => {
    const { service } = await bootService();
    service.pipeline('p', { timeout: '1s', order: ['attempt timeout'] });
    expect(problemsBy(() => service.pipeline('p', { timeout: '2s', bulkhead: 1 }))).toEqual([
      `pipeline 'p': is already defined with different options: timeout is { attempt: '1s' } there and { attempt: '2s' } here, order is [ 'attempt timeout' ] there and undefined here, bulkhead is undefined there and { maxConcurrent: 1 } here; repeat them, or choose another name`,
    ]);
  });

  it('is checked at once when it is made late, and a corrected retry works', async () => {
    const { service } = await bootService();
    const make = (maxRetries: number): NamedPipeline =>
      service.pipeline('p', { retry: { maxRetries }, bulkhead: 2 });
    expect(problemsBy(() => make(-1))).toEqual([
      `pipeline 'p' retry: maxRetries is -1; use a whole number of at least 0`,
    ]);
    await expect(make(0).execute(() => 1)).resolves.toBe(1);
  });

  it('is checked with everything else when it is made in a constructor', async () => {
    @Injectable()
    class Books {
      constructor(@Inject(ResilienceService) service: ResilienceService) {
        service.pipeline('p', { retry: { maxRetries: -1 } });
      }
      @Retry({ maxRetries: -2 })
      async m(): Promise<void> {}
    }
    const problems = await problemsOf({ providers: [Books] });
    expect(problems).toHaveLength(2);
    expect(problems).toContain(
      `pipeline 'p' retry: maxRetries is -1; use a whole number of at least 0`,
    );
  });

  it('takes defaults and configurations, and is overridden by its name', async () => {
    const made = deferred<NamedPipeline>();
    const maker = making((service) =>
      made.resolve(service.pipeline('p', { retry: { config: 'patient' } })),
    );
    await bootService(
      {
        defaults: { retry: { maxElapsedTime: '1m' } },
        configs: { patient: { retry: { maxRetries: 5, respectRetryAfter: false } } },
        overrides: { p: { retry: { maxRetries: 6 } } },
      },
      { providers: [maker] },
    );
    expect((await made.promise).describe().policies).toEqual([
      {
        kind: 'retry',
        options: { maxElapsedTime: '1m', maxRetries: 6, respectRetryAfter: false },
      },
    ]);
  });

  it('works before the application has started', async () => {
    const results: unknown[] = [];
    const maker = making(async (service) => {
      const pipeline = service.pipeline('p', { circuitBreaker: { consecutiveFailures: 1 } });
      results.push(await outcome(pipeline.execute(down)), await outcome(pipeline.execute(down)));
    });
    const { registry } = await bootService({}, { providers: [maker] });
    expect(results).toMatchObject([
      { error: { message: 'down' } },
      { error: { code: 'CIRCUIT_OPEN' } },
    ]);
    expect(registry.get('p').state).toBe('open');
  });

  it('counts fallbacks that have been running since then against their limit', async () => {
    const answer = deferred<string>();
    const early: Promise<unknown>[] = [];
    const maker = making((service) => {
      const fallback = { handler: () => answer.promise, maxConcurrent: 1 };
      early.push(service.pipeline('p', { fallback }).execute(down));
    });
    const { service } = await bootService({}, { providers: [maker] });
    await expect(service.pipeline('p').execute(down)).rejects.toThrow('down');
    answer.resolve('none');
    await expect(early[0]).resolves.toBe('none');
  });

  it('fails at an early use if it is wrong, and is still reported', async () => {
    const used: Promise<{ error?: unknown }>[] = [];
    const maker = making((service) => {
      const pipeline = service.pipeline('p', { retry: { maxRetries: -1 } });
      used.push(outcome(pipeline.execute(() => 1)), outcome(pipeline.wrap(() => 1)()));
    });
    const problem = `pipeline 'p' retry: maxRetries is -1; use a whole number of at least 0`;
    await expect(problemsOf({ providers: [maker] })).resolves.toEqual([problem]);
    expect(used).toHaveLength(2);
    for (const { error } of await Promise.all(used)) {
      expect(error).toMatchObject({ problems: [problem] });
    }
  });

  it.each([
    [
      'of forRoot and policies of its own',
      'root',
      { retry },
      'is defined in forRoot({ pipelines }); leave the policies out here',
    ],
    [
      'unknown, without policies',
      'p',
      undefined,
      `there is none; give its policies, or use one of 'root', 'code'`,
    ],
    ['without a name', '', {}, `the name is ''; use a non-empty string`],
    [
      'with an unknown policy',
      'p',
      { retries: 3 },
      `has "retries", which is not a policy; the policies are ${policyNames}`,
    ],
    [
      'with an unknown stage in its order',
      'p',
      { order: ['retries'] },
      `order is [ 'retries' ]; use a list of ${stageNames}, each at most once`,
    ],
    ['with options that are none', 'p', 7, 'the policies are 7'],
  ])('is refused at once: %s', async (_, name, options, told) => {
    const { service } = await bootService({ pipelines: { root: {} } });
    service.pipeline('code', {});
    expect(problemsBy(() => service.pipeline(name, wrong(options)))).toEqual([
      expect.stringContaining(`pipeline '${name}': ${told}`),
    ]);
    expect(service.pipeline('code').describe().stages).toEqual([]);
  });

  it('lists the known ones once', async () => {
    const { service } = await bootService({ pipelines: { root: {} } });
    service.pipeline('root');
    expect(problemsBy(() => service.pipeline('p'))).toEqual([
      `pipeline 'p': there is none; give its policies, or use one of 'root'`,
    ]);
  });

  it('says that there is none', async () => {
    const { service } = await bootService();
    expect(problemsBy(() => service.pipeline('p'))).toEqual([
      `pipeline 'p': there is none; give its policies, or define it in forRoot({ pipelines })`,
    ]);
  });
});

describe('a pipeline of forRoot()', () => {
  @Injectable()
  @UsePipeline('storagesvc')
  class WholeStorage {
    async call(work: () => unknown): Promise<unknown> {
      return work();
    }
  }

  /** All kinds of users of a pipeline, as functions that run the given work. */
  async function users(pipelines: ResilienceModuleOptions['pipelines']) {
    const booted = await bootService({ pipelines }, { providers: [Storage, WholeStorage] });
    const { app, service } = booted;
    const command = commandOf(service, { pipeline: 'storagesvc' });
    const pipeline = service.pipeline('storagesvc');
    const calls: Record<string, (work: () => unknown) => Promise<unknown>> = {
      'a method': (work) => app.get(Storage).call(work),
      'a class': (work) => app.get(WholeStorage).call(work),
      'a command': (work) => command.execute(work),
      code: (work) => pipeline.execute(work),
    };
    return { ...booted, calls, command, pipeline };
  }

  const all = ['a method', 'a class', 'a command', 'code'] as const;
  const pairs = all.flatMap((one) => all.filter((two) => two !== one).map((two) => [one, two]));

  it.each(pairs)('has %s and %s share its breaker', async (one, two) => {
    const { calls, registry } = await users({
      storagesvc: { circuitBreaker: { consecutiveFailures: 2 } },
    });
    await outcome(calls[one]!(down));
    await outcome(calls[two]!(down));
    expect(registry.names()).toEqual(['storagesvc']);
    expect(registry.get('storagesvc').state).toBe('open');
    await expect(calls[one]!(() => 1)).rejects.toBeInstanceOf(CircuitOpenError);
    await expect(calls[two]!(() => 1)).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it.each(pairs)('has %s and %s share its bulkhead', async (one, two) => {
    const { calls, bulkheads } = await users({ storagesvc: { bulkhead: 1 } });
    const work = deferred();
    const running = calls[one]!(() => work.promise);
    await expect(calls[two]!(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
    work.resolve();
    await running;
    await expect(calls[two]!(() => 1)).resolves.toBe(1);
    expect([...bulkheads].map(({ name }) => name)).toEqual(['storagesvc']);
  });

  it('shows its parts in the snapshot of a command, under its name', async () => {
    const { command } = await users({ storagesvc: hystrix() });
    expect(command.snapshot()).toMatchObject({
      name: 'books',
      circuitBreaker: { name: 'storagesvc' },
      bulkhead: { name: 'storagesvc', maxConcurrent: 10 },
      attemptTimeoutMs: 1_000,
    });
  });

  it('uses the names of its options for its parts', async () => {
    const { registry, bulkheads } = await users({
      storagesvc: { circuitBreaker: 'breaker', bulkhead: { name: 'places' } },
    });
    expect(registry.names()).toEqual(['breaker']);
    expect(bulkheads.get('places').running).toBe(0);
  });

  it('gives each user the policies that have no state', async () => {
    const { calls, clock, command, pipeline, service } = await users({
      storagesvc: {
        retry,
        timeout: { attempt: '1s', total: '10s' },
        fallback: fallbackValue('none'),
      },
    });
    for (const user of all) {
      const visits = new Visits();
      const result = calls[user]!(() => {
        visits.visit();
        return hang();
      });
      await clock.advance(3_000);
      await expect(result).resolves.toBe('none');
      expect(visits.count).toBe(2);
    }
    const { stages, policies } = pipeline.describe();
    expect(stages).toEqual(['fallback', 'total timeout', 'retry', 'attempt timeout']);
    for (const other of [
      command.describe(),
      service.describe(Storage, 'call'),
      service.describe(WholeStorage, 'call'),
    ]) {
      expect(other).toMatchObject({ stages, policies });
    }
  });

  it('keeps stale results per user', async () => {
    @Injectable()
    class Shelves {
      up = true;
      @UsePipeline('stale')
      async books(id: number): Promise<string> {
        return this.up ? `book ${id}` : down();
      }
      @UsePipeline('stale')
      async films(id: number): Promise<string> {
        return this.up ? `film ${id}` : down();
      }
    }
    const { app } = await boot({
      providers: [Shelves, ...cached().providers!],
      resilience: { pipelines: { stale: { fallback: staleIfError({ ttl: '10m' }) } } },
    });
    const shelves = app.get(Shelves);
    await shelves.books(1);
    await shelves.films(1);
    await settle();
    shelves.up = false;
    await expect(shelves.books(1)).resolves.toBe('book 1');
    await expect(shelves.films(1)).resolves.toBe('film 1');
  });

  it('may be used on methods of a class that has another one, which they replace', async () => {
    @Injectable()
    @UsePipeline('class')
    class S {
      async m(): Promise<void> {}
      @UsePipeline('method')
      async n(): Promise<void> {}
    }
    const { service } = await boot({
      providers: [S],
      resilience: { pipelines: { class: { timeout: '1s' }, method: { retry: {} } } },
    });
    expect(service.describe(S, 'm').stages).toEqual(['attempt timeout']);
    expect(service.describe(S, 'n').stages).toEqual(['retry']);
  });

  it('takes defaults and configurations too', async () => {
    const { service } = await boot({
      providers: [Storage],
      resilience: {
        defaults: { retry: { maxElapsedTime: '1m', maxRetries: 1 } },
        configs: { patient: { retry: { maxRetries: 9, respectRetryAfter: false } } },
        pipelines: { storagesvc: { retry: { config: 'patient', maxRetries: 5 } } },
      },
    });
    expect(service.describe(Storage, 'call').policies[0]?.options).toEqual({
      maxElapsedTime: '1m',
      maxRetries: 5,
      respectRetryAfter: false,
    });
  });

  it.each(everyPlatform)('protects a handler on %s, with what is below it', async (platform) => {
    const visits = new Visits();
    @Controller()
    class Books {
      constructor(@Inject(Storage) private readonly storage: Storage) {}
      @Get()
      @UsePipeline('handlers')
      async get(): Promise<unknown> {
        visits.visit();
        return this.storage.call(() => Promise.reject(new BadGatewayException()));
      }
    }
    const { url, registry, clock, events } = await serve(platform, {
      providers: [Storage],
      controllers: [Books],
      resilience: {
        pipelines: {
          storagesvc: { circuitBreaker: { consecutiveFailures: 2, openFor: '7s' } },
          handlers: { retry: { maxRetries: 1, backoff: constant('1s') } },
        },
      },
    });
    const first = request(url);
    await visits.reached(1);
    await until(() => of('retry', events).length === 1);
    await clock.advance(1_000);
    await expect(first.answer).resolves.toMatchObject({ status: 502 });
    expect(visits.count).toBe(2);
    expect(registry.get('storagesvc').state).toBe('open');
    const second = await request(url).answer;
    expect(second).toMatchObject({ status: 503, headers: { 'retry-after': '7' } });
  });
});
