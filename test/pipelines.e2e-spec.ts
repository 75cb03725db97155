import { getEventListeners } from 'node:events';
import {
  BadGatewayException,
  Controller,
  Get,
  Inject,
  Injectable,
  NotFoundException,
} from '@nestjs/common';
import {
  Bulkhead,
  BulkheadFullError,
  CircuitBreaker,
  CircuitOpenError,
  type Command,
  Fallback,
  type NamedPipeline,
  type PipelineOptions,
  type ResilienceModuleOptions,
  ResilienceService,
  Retry,
  Timeout,
  TimeoutError,
  UsePipeline,
  constant,
  hystrix,
  staleIfError,
  fallbackValue,
  withReport,
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
  refuseUnhandledRejections,
} from './support/commands.js';
import { request } from './support/http.js';
import { Visits, deferred, outcome, settle, until } from './support/wait.js';

afterEach(closeAll);
refuseUnhandledRejections();

/** What the compiler refuses: it could come from JavaScript or from the environment. */
const wrong = (given: unknown): any => given;

const retry = { maxRetries: 1, backoff: constant('1s') };

@Injectable()
class Storage {
  @UsePipeline('storagesvc')
  async call(work: () => unknown): Promise<unknown> {
    return work();
  }
}

describe('execute() of a pipeline', () => {
  it('runs any function under the policies, with a context', async () => {
    const { service, clock } = await bootService();
    const pipeline = service.pipeline('storagesvc', { retry, timeout: '1s' });
    const book = {};
    const seen: unknown[] = [];
    const result = pipeline.execute(async ({ name, attempt, signal }) => {
      seen.push([name, attempt, signal.aborted]);
      return attempt === 1 ? down() : book;
    });
    await clock.advance(1_000);
    expect(await result).toBe(book);
    expect(seen).toEqual([
      ['storagesvc', 1, false],
      ['storagesvc', 2, false],
    ]);
  });

  it('throws whatever is thrown, as it is', async () => {
    const { service } = await bootService();
    const pipeline = service.pipeline('storagesvc', { circuitBreaker: {}, timeout: '1s' });
    for (const thrown of [new Error('down'), undefined, 'text'] as unknown[]) {
      const atOnce = outcome(
        pipeline.execute(() => {
          throw thrown;
        }),
      );
      expect((await atOnce).error).toBe(thrown);
      expect((await outcome(pipeline.execute(() => Promise.reject(thrown)))).error).toBe(thrown);
    }
  });

  it('has all functions share breaker and bulkhead', async () => {
    const { service, registry, bulkheads } = await bootService();
    const pipeline = service.pipeline('storagesvc', {
      circuitBreaker: { consecutiveFailures: 2 },
      bulkhead: 1,
    });
    const work = deferred();
    const running = pipeline.execute(() => work.promise);
    await expect(pipeline.execute(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
    expect(bulkheads.get('storagesvc')).toMatchObject({ running: 1, rejected: 1 });
    work.resolve();
    await running;
    await outcome(pipeline.execute(down));
    await outcome(pipeline.execute(() => down()));
    await expect(pipeline.execute(() => 1)).rejects.toBeInstanceOf(CircuitOpenError);
    expect(registry.names()).toEqual(['storagesvc']);
  });

  it('needs no policy', async () => {
    const { service } = await bootService();
    const pipeline = service.pipeline('bare', {});
    await expect(pipeline.execute(({ attempt }) => attempt)).resolves.toBe(1);
    expect(pipeline.describe()).toEqual({ name: 'bare', stages: [], policies: [] });
  });

  it('is seen by withReport()', async () => {
    const { service } = await bootService();
    const pipeline = service.pipeline('storagesvc', { fallback: fallbackValue('none') });
    const { calls } = await withReport(() => pipeline.execute(down));
    expect(calls).toMatchObject([{ name: 'storagesvc', attempts: 1, source: 'fallback' }]);
  });
});

describe('the signal of execute()', () => {
  const policies: PipelineOptions = {
    bulkhead: { maxConcurrent: 1, maxQueue: 1 },
    retry,
    circuitBreaker: { consecutiveFailures: 1 },
    fallback: fallbackValue('an answer'),
  };

  it('stops the work: the caller gets its reason, nobody answers, nothing is counted', async () => {
    const { service, registry } = await bootService();
    const { signal, abort } = controller();
    let own: AbortSignal | undefined;
    const result = service.pipeline('p', policies).execute(
      (context) => {
        own = context.signal;
        return hang();
      },
      { signal },
    );
    const reason = new BadGatewayException();
    abort(reason);
    expect((await outcome(result)).error).toBe(reason);
    expect(own).toMatchObject({ aborted: true, reason });
    expect(registry.get('p').counts).toMatchObject({ ignored: 1, failures: 0 });
  });

  it('stops a wait for a place', async () => {
    const { service, bulkheads } = await bootService();
    const pipeline = service.pipeline('p', policies);
    const { signal, abort } = controller();
    const work = deferred();
    const visits = new Visits();
    const running = pipeline.execute(() => work.promise);
    const waiting = outcome(pipeline.execute(() => visits.visit(), { signal }));
    expect(bulkheads.get('p').waiting).toBe(1);
    abort('why');
    expect((await waiting).error).toBe('why');
    expect(bulkheads.get('p').waiting).toBe(0);
    work.resolve();
    await running;
    expect(visits.count).toBe(0);
  });

  it('stops a wait for another attempt', async () => {
    const { service, clock } = await bootService();
    const { signal, abort } = controller();
    const visits = new Visits();
    const result = outcome(
      service.pipeline('p', { retry }).execute(
        () => {
          visits.visit();
          return down();
        },
        { signal },
      ),
    );
    await settle();
    abort('why');
    expect((await result).error).toBe('why');
    await clock.advance(10_000);
    expect(visits.count).toBe(1);
  });

  it('that has been aborted before lets nothing begin', async () => {
    const { service } = await bootService();
    const work = jest.fn();
    const result = service
      .pipeline('p', policies)
      .execute(work, { signal: AbortSignal.abort('why') });
    expect((await outcome(result)).error).toBe('why');
    expect(work).not.toHaveBeenCalled();
  });

  it('is let go of when the call has ended', async () => {
    const { service } = await bootService();
    const { signal, abort } = controller();
    const pipeline = service.pipeline('p', {});
    const running = pipeline.execute(() => 1, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await running;
    await outcome(pipeline.execute(down, { signal }));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    abort('too late');
    await expect(running).resolves.toBe(1);
  });

  it('may be undefined', async () => {
    const { service } = await bootService();
    const result = service.pipeline('p', {}).execute(() => 1, { signal: undefined });
    await expect(result).resolves.toBe(1);
  });
});

/** An AbortController whose parts can be handed around. */
function controller(): { signal: AbortSignal; abort: (reason: unknown) => void } {
  const made = new AbortController();
  return { signal: made.signal, abort: (reason) => made.abort(reason) };
}

describe('wrap()', () => {
  it('passes on this and arguments, by identity, on each attempt', async () => {
    const { service, clock } = await bootService();
    const seen: unknown[][] = [];
    const shelf = {
      find: service.pipeline('p', { retry }).wrap(function (this: unknown, ...args: unknown[]) {
        seen.push([this, ...args]);
        return seen.length === 1 ? down() : Promise.resolve('found');
      }),
    };
    const args = [{}, [], undefined];
    const result = shelf.find(...args);
    await clock.advance(1_000);
    await expect(result).resolves.toBe('found');
    expect(seen).toHaveLength(2);
    for (const [self, ...given] of seen) {
      expect(self).toBe(shelf);
      expect(given).toHaveLength(3);
      given.forEach((each, index) => expect(each).toBe(args[index]));
    }
  });

  it('makes functions that are called as before', async () => {
    const { service } = await bootService();
    const find = service.pipeline('p', {}).wrap(async function find(words: string, page: number) {
      return words.repeat(page);
    });
    expect([find.name, find.length]).toEqual(['find', 2]);
  });

  it('makes functions that share breaker and bulkhead, and fail with a promise', async () => {
    const { service } = await bootService();
    const pipeline = service.pipeline('p', { circuitBreaker: { consecutiveFailures: 2 } });
    const one = pipeline.wrap(() => {
      throw new Error('at once');
    });
    const two = pipeline.wrap(down);
    const three = pipeline.wrap((x: number) => x);
    await expect(three(3)).resolves.toBe(3);
    await expect(one()).rejects.toThrow('at once');
    await expect(two()).rejects.toThrow('down');
    await expect(three(3)).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('gives the arguments to a fallback', async () => {
    const { service } = await bootService();
    const fallback = (_context: unknown, ...args: unknown[]): string => `none for ${args.join()}`;
    const find = service
      .pipeline('p', { fallback })
      .wrap((_words: string, _page: number) => down());
    await expect(find('sea', 2)).resolves.toBe('none for sea,2');
  });
});

describe('a pipeline of the service', () => {
  it('is one for its name', async () => {
    const { service } = await bootService();
    const options = { retry, circuitBreaker: {}, bulkhead: 3 };
    const pipeline = service.pipeline('p', options);
    expect(service.pipeline('p', { ...options, bulkhead: { maxConcurrent: 3 } })).toBe(pipeline);
    expect(service.pipeline('p')).toBe(pipeline);
    expect(service.pipeline('q', options)).not.toBe(pipeline);
  });

  it('is refused with other options, and it is told which', async () => {
    const { service } = await bootService();
    service.pipeline('p', { timeout: '1s', order: ['attempt timeout'] });
    expect(problemsBy(() => service.pipeline('p', { timeout: '2s', bulkhead: 1 }))).toEqual([
      `pipeline 'p': there is one with other options: timeout is { attempt: '1s' } there and { attempt: '2s' } here, order is [ 'attempt timeout' ] there and undefined here, bulkhead is undefined there and { maxConcurrent: 1 } here; use the same ones, or another name`,
    ]);
  });

  it('is checked at once when it is made late, and a corrected second try works', async () => {
    const { service } = await bootService();
    const make = (maxRetries: number): NamedPipeline =>
      service.pipeline('p', { retry: { maxRetries }, bulkhead: 2 });
    expect(problemsBy(() => make(-1))).toEqual([
      `pipeline 'p' retry: maxRetries is -1; use a whole number of at least 0`,
    ]);
    await expect(make(0).execute(() => 1)).resolves.toBe(1);
  });

  it('is checked with all else when it is made in a constructor', async () => {
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

  it('counts fallbacks that are at work since then against their limit', async () => {
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

  it('fails when it is used before that and wrong, and is told of all the same', async () => {
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
      'with what is no policy',
      'p',
      { retries: 3 },
      'has "retries", which is no policy; the policies are fallback, timeout, retry, circuitBreaker, bulkhead',
    ],
    [
      'with an unknown stage in its order',
      'p',
      { order: ['retries'] },
      `order is [ 'retries' ]; use a list of 'fallback', 'total timeout', 'retry', 'circuit breaker', 'attempt timeout', 'bulkhead', each at most once`,
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

  it('names those that there are once', async () => {
    const { service } = await bootService({ pipelines: { root: {} } });
    service.pipeline('root');
    expect(problemsBy(() => service.pipeline('p'))).toEqual([
      `pipeline 'p': there is none; give its policies, or use one of 'root'`,
    ]);
  });

  it('says that there is none when there is none', async () => {
    const { service } = await bootService();
    expect(problemsBy(() => service.pipeline('p'))).toEqual([
      `pipeline 'p': there is none; give its policies, or use one of none`,
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

  /** All who can use a pipeline, as functions that run what they are given. */
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

  it('has its parts called otherwise when its options say so', async () => {
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

  it('has each user keep former results for itself', async () => {
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

describe('decorators on top of @UsePipeline()', () => {
  const pipelines = {
    storagesvc: {
      retry: { maxRetries: 3, maxElapsedTime: '1m' },
      circuitBreaker: { halfOpen: { maxCalls: 2 } },
    },
  } as const;

  it('change single options, and add policies', async () => {
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      @Retry({ maxRetries: 1 })
      @Timeout('1s')
      @Fallback('none')
      async m(): Promise<string> {
        return 'm';
      }
      @Bulkhead(3)
      @UsePipeline('storagesvc')
      async n(): Promise<string> {
        return 'n';
      }
      none(): string {
        return 'none';
      }
    }
    const { service } = await boot({ providers: [S], resilience: { pipelines } });
    expect(service.describe(S, 'm')).toEqual({
      name: 'S.m',
      stages: ['fallback', 'retry', 'circuit breaker', 'attempt timeout'],
      policies: [
        { kind: 'retry', options: { maxRetries: 1, maxElapsedTime: '1m' } },
        { kind: 'circuitBreaker', options: { halfOpen: { maxCalls: 2 } } },
        { kind: 'fallback', options: { handler: 'none' } },
        { kind: 'timeout', options: { attempt: '1s' } },
      ],
    });
    expect(service.describe(S, 'n').stages).toEqual(['retry', 'circuit breaker', 'bulkhead']);
    expect(service.describe(S, 'n').policies[0]?.options).toEqual(pipelines.storagesvc.retry);
  });

  it('have parts of their own where they add policies', async () => {
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      @Bulkhead(1)
      async m(work: () => Promise<unknown>): Promise<unknown> {
        return work();
      }
      @UsePipeline('storagesvc')
      @Bulkhead(2)
      async n(): Promise<void> {}
    }
    const { app, bulkheads, registry } = await bootService({ pipelines }, { providers: [S] });
    expect([...bulkheads].map(({ name }) => name).sort()).toEqual(['S.m', 'S.n']);
    expect(registry.names()).toEqual(['storagesvc']);
    const work = deferred();
    const running = app.get(S).m(() => work.promise);
    await app.get(S).n();
    expect([bulkheads.get('S.m').running, bulkheads.get('S.n').running]).toEqual([1, 0]);
    work.resolve();
    await running;
  });

  it('stand on a class, too', async () => {
    @Injectable()
    @UsePipeline('storagesvc')
    @Retry({ maxRetries: 2 })
    class S {
      async m(): Promise<void> {}
      @Retry({ maxRetries: 1 })
      async n(): Promise<void> {}
    }
    const { service } = await boot({ providers: [S], resilience: { pipelines } });
    const retries = ['m', 'n'].map((method) => service.describe(S, method).policies[0]?.options);
    expect(retries).toEqual([
      { maxRetries: 2, maxElapsedTime: '1m' },
      { maxRetries: 1, maxElapsedTime: '1m' },
    ]);
  });

  it('are in force', async () => {
    const visits = new Visits();
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      @Retry({ backoff: constant('1s'), on: [NotFoundException] })
      async m(): Promise<never> {
        visits.visit();
        throw new NotFoundException();
      }
    }
    const { app, clock } = await boot({ providers: [S], resilience: { pipelines } });
    const call = outcome(app.get(S).m());
    await clock.advance(3_000);
    await call;
    expect(visits.count).toBe(4);
  });

  it('as options of a command do', async () => {
    const { service } = await bootService({ pipelines });
    const command = commandOf(service, {
      pipeline: 'storagesvc',
      retry: { maxRetries: 0 },
      timeout: '1s',
      circuitBreaker: { halfOpen: { maxCalls: 2 } },
    });
    expect(command.describe()).toMatchObject({
      stages: ['retry', 'circuit breaker', 'attempt timeout'],
      policies: [
        { kind: 'retry', options: { maxRetries: 0, maxElapsedTime: '1m' } },
        { kind: 'circuitBreaker', options: { halfOpen: { maxCalls: 2 } } },
        { kind: 'timeout', options: { attempt: '1s' } },
      ],
    });
    await expect(command.execute(down)).rejects.toThrow('down');
  });

  @Injectable()
  class Lenient {
    @UsePipeline('storagesvc')
    @CircuitBreaker({ openFor: '1s', halfOpen: { successThreshold: 5 } })
    async m(): Promise<void> {}
  }
  @Injectable()
  class Plain {
    @UsePipeline('storagesvc')
    async m(): Promise<void> {}
  }
  @Injectable()
  class Apart {
    @UsePipeline('storagesvc')
    @CircuitBreaker({ name: 'apart', openFor: '1s' })
    async m(): Promise<void> {}
  }

  it('may change options of a shared part where there is one user', async () => {
    const { registry, service } = await boot({ providers: [Lenient], resilience: { pipelines } });
    expect(service.describe(Lenient, 'm').policies[1]?.options).toEqual({
      openFor: '1s',
      halfOpen: { maxCalls: 2, successThreshold: 5 },
    });
    expect(registry.get('storagesvc').snapshot().limits.openForMs).toBe(1_000);
  });

  it.each([
    [
      'another method',
      [Lenient, Plain],
      'Plain.m @CircuitBreaker',
      'Lenient.m @CircuitBreaker',
      '1s',
      undefined,
    ],
    [
      'another method, the other way round',
      [Plain, Lenient],
      'Lenient.m @CircuitBreaker',
      'Plain.m @CircuitBreaker',
      undefined,
      '1s',
    ],
    [
      'a command',
      [Lenient, making((service) => commandOf(service, { pipeline: 'storagesvc' }))],
      `command 'books' circuitBreaker`,
      'Lenient.m @CircuitBreaker',
      '1s',
      undefined,
    ],
    [
      'code',
      [Lenient, making((service) => service.pipeline('storagesvc'))],
      `pipeline 'storagesvc' circuitBreaker`,
      'Lenient.m @CircuitBreaker',
      '1s',
      undefined,
    ],
  ])('may not where another user shares it: %s', async (_, providers, where, there, one, two) => {
    const problems = await problemsOf({ providers, resilience: { pipelines } });
    expect(problems).toEqual([
      expect.stringContaining(`${where}: "storagesvc" has other options at ${there}: `),
    ]);
    const shown = [one, two].map((time) => (time === undefined ? 'undefined' : `'${time}'`));
    expect(problems[0]).toContain(`openFor is ${shown[0]} there and ${shown[1]} here`);
    expect(problems[0]).toContain('use the same ones, or put them into forRoot({ configs })');
  });

  it('may where the part gets a name of its own', async () => {
    const { registry } = await boot({ providers: [Plain, Apart], resilience: { pipelines } });
    expect(registry.names().sort()).toEqual(['apart', 'storagesvc']);
    expect(registry.get('apart').snapshot().limits.openForMs).toBe(1_000);
    expect(registry.get('storagesvc').snapshot().limits.openForMs).toBe(5_000);
  });

  it('a name alone defines a part of the other options of the pipeline, and may conflict', async () => {
    @Injectable()
    class Named {
      @UsePipeline('storagesvc')
      @CircuitBreaker('apart')
      async m(): Promise<void> {}
    }
    const { registry } = await boot({ providers: [Named], resilience: { pipelines } });
    expect(registry.names()).toEqual(['apart']);
    await expect(
      problemsOf({ providers: [Named, Apart], resilience: { pipelines } }),
    ).resolves.toEqual([expect.stringContaining('"apart" has other options at Named.m')]);
    await expect(
      problemsOf({ providers: [Apart, Named], resilience: { pipelines } }),
    ).resolves.toEqual([expect.stringContaining('"apart" has other options at Apart.m')]);
  });

  it('overrides of one user conflict in the same way', async () => {
    const overrides = { Plain: { circuitBreaker: { openFor: '1s' } } } as const;
    const { registry } = await boot({
      providers: [Plain],
      resilience: { pipelines, overrides },
    });
    expect(registry.get('storagesvc').snapshot().limits.openForMs).toBe(1_000);
    await expect(
      problemsOf({ providers: [Plain, Storage], resilience: { pipelines, overrides } }),
    ).resolves.toEqual([expect.stringContaining('"storagesvc" has other options')]);
  });

  it('an override may take a policy of the pipeline off', async () => {
    const overrides = { Plain: { circuitBreaker: false } } as const;
    const { registry, service } = await boot({
      providers: [Plain],
      resilience: { pipelines, overrides },
    });
    expect(service.describe(Plain, 'm').stages).toEqual(['retry']);
    expect(registry.names()).toEqual([]);
  });

  it('an override by the name of the pipeline reaches all its users', async () => {
    const made: Command<never[], unknown>[] = [];
    const maker = making((service) => {
      made.push(commandOf(service, { pipeline: 'storagesvc' }));
      service.pipeline('storagesvc');
    });
    const { registry, service } = await bootService(
      {
        pipelines,
        overrides: {
          storagesvc: { circuitBreaker: { openFor: '1s' }, retry: { maxRetries: 7 } },
          '*': { retry: { maxRetries: 8, maxElapsedTime: '2m' } },
          'Storage.call': { retry: { maxRetries: 6 } },
        },
      },
      { providers: [Plain, Storage, maker] },
    );
    expect(registry.get('storagesvc').snapshot().limits.openForMs).toBe(1_000);
    const retries = [
      service.describe(Plain, 'm'),
      service.describe(Storage, 'call'),
      made[0]!.describe(),
      service.pipeline('storagesvc').describe(),
    ].map(({ policies }) => policies[0]?.options);
    expect(retries).toEqual(
      [7, 6, 7, 7].map((maxRetries) => ({ maxRetries, maxElapsedTime: '2m' })),
    );
  });

  it('an override by the name of a pipeline may meet nobody yet, but no policy that it has not', async () => {
    await boot({
      resilience: { pipelines, overrides: { storagesvc: { retry: { maxRetries: 7 } } } },
    });
    const overrides = { storagesvc: { bulkhead: 3 } };
    await expect(problemsOf({ resilience: { pipelines, overrides } })).resolves.toEqual([
      `ResilienceModule.forRoot(): overrides['storagesvc'] has bulkhead, but storagesvc has no such policy; an override can change policies, not add them`,
    ]);
  });
});

describe('an explicit order', () => {
  /** A pipeline of that order under a method, a command and code. */
  const users: Record<
    string,
    (options: PipelineOptions) => Promise<{
      booted: Awaited<ReturnType<typeof bootService>>;
      call: (work: (attempt: number) => unknown) => Promise<unknown>;
      stages: readonly string[];
    }>
  > = {
    'a method': async (storagesvc) => {
      const booted = await bootService({ pipelines: { storagesvc } }, { providers: [Storage] });
      return {
        booted,
        call: (work) => booted.app.get(Storage).call(counting(work)),
        stages: booted.service.describe(Storage, 'call').stages,
      };
    },
    'a command': async (storagesvc) => {
      const booted = await bootService({ pipelines: { storagesvc } });
      const command: Command<[work: () => unknown]> = commandOf(booted.service, {
        pipeline: 'storagesvc',
      });
      return {
        booted,
        call: (work) => command.execute(counting(work)),
        stages: command.describe().stages,
      };
    },
    'code that has it of forRoot': async (storagesvc) => {
      const booted = await bootService({ pipelines: { storagesvc } });
      const pipeline = booted.service.pipeline('storagesvc');
      return {
        booted,
        call: (work) => pipeline.execute(counting(work)),
        stages: pipeline.describe().stages,
      };
    },
    'code that makes it': async (options) => {
      const booted = await bootService();
      const pipeline = booted.service.pipeline('storagesvc', options);
      return {
        booted,
        call: (work) => pipeline.execute(counting(work)),
        stages: pipeline.describe().stages,
      };
    },
  };

  /** Tells the work which attempt it is. */
  function counting(work: (attempt: number) => unknown): () => unknown {
    let attempt = 0;
    return () => work(++attempt);
  }

  describe.each(Object.keys(users))('of %s', (user) => {
    const using = users[user]!;

    it('bulkhead outermost: a place is held over the waits between attempts', async () => {
      const { booted, call, stages } = await using({
        bulkhead: 1,
        retry,
        order: ['bulkhead', 'retry'],
      });
      expect(stages).toEqual(['bulkhead', 'retry']);
      const result = call((attempt) => (attempt === 1 ? down() : 'up'));
      await booted.clock.advance(500);
      expect(booted.bulkheads.get('storagesvc').running).toBe(1);
      await expect(call(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
      await booted.clock.advance(500);
      await expect(result).resolves.toBe('up');
      expect(booted.bulkheads.get('storagesvc').running).toBe(0);
    });

    it('the canonical one gives the place back between attempts', async () => {
      const { booted, call, stages } = await using({ bulkhead: 1, retry });
      expect(stages).toEqual(['retry', 'bulkhead']);
      const result = call((attempt) => (attempt === 1 ? down() : 'up'));
      await booted.clock.advance(500);
      expect(booted.bulkheads.get('storagesvc').running).toBe(0);
      await expect(call(() => 1)).resolves.toBe(1);
      await booted.clock.advance(500);
      await expect(result).resolves.toBe('up');
    });

    it('retry outside of the total timeout: each attempt has all the time', async () => {
      const { booted, call, stages } = await using({
        retry,
        timeout: { total: '3s' },
        order: ['retry', 'total timeout'],
      });
      expect(stages).toEqual(['retry', 'total timeout']);
      const result = call((attempt) => (attempt === 1 ? hang() : 'up'));
      await booted.clock.advance(4_000);
      await expect(result).resolves.toBe('up');
    });

    it('retry inside of the total timeout: all attempts share the time', async () => {
      const { booted, call, stages } = await using({
        retry,
        timeout: { total: '3s' },
        order: ['total timeout', 'retry'],
      });
      expect(stages).toEqual(['total timeout', 'retry']);
      const result = outcome(call(hang));
      await booted.clock.advance(3_000);
      expect((await result).error).toBeInstanceOf(TimeoutError);
      expect(of('attempt', booted.events)).toHaveLength(1);
    });

    it('fallback inside of the retry: what is answered is not tried again', async () => {
      const { booted, call, stages } = await using({
        retry,
        fallback: fallbackValue('none'),
        order: ['retry', 'fallback'],
      });
      expect(stages).toEqual(['retry', 'fallback']);
      await expect(call(down)).resolves.toBe('none');
      expect(of('retry', booted.events)).toEqual([]);
    });

    it('breaker outside of the retry: a call counts once, whatever its attempts', async () => {
      const { booted, call, stages } = await using({
        circuitBreaker: { consecutiveFailures: 2 },
        retry,
        order: ['circuit breaker', 'retry'],
      });
      expect(stages).toEqual(['circuit breaker', 'retry']);
      const result = outcome(call(down));
      await booted.clock.advance(1_000);
      await result;
      expect(booted.registry.get('storagesvc')).toMatchObject({
        state: 'closed',
        counts: { requests: 1, failures: 1 },
      });
    });

    it('may name stages that it has not', async () => {
      const { stages } = await using({
        retry,
        order: ['bulkhead', 'attempt timeout', 'retry', 'fallback'],
      });
      expect(stages).toEqual(['retry']);
    });
  });

  it('holds for the policies that a user adds', async () => {
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      @Bulkhead(1)
      async m(): Promise<void> {}
    }
    const { service } = await boot({
      providers: [S],
      resilience: { pipelines: { storagesvc: { retry, order: ['bulkhead', 'retry'] } } },
    });
    expect(service.describe(S, 'm').stages).toEqual(['bulkhead', 'retry']);
  });

  it('bulkhead outside of the retry: a place is taken until the work of all attempts has ended', async () => {
    const { booted, call } = await users['a command']!({
      bulkhead: 1,
      retry,
      timeout: '1s',
      order: ['bulkhead', 'retry', 'attempt timeout'],
    });
    const work = deferred();
    const result = call((attempt) => (attempt === 1 ? work.promise : 'up'));
    await booted.clock.advance(2_000);
    await expect(result).resolves.toBe('up');
    expect(booted.bulkheads.get('storagesvc').running).toBe(1);
    await expect(call(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
    work.resolve();
    await settle();
    expect(booted.bulkheads.get('storagesvc').running).toBe(0);
  });

  it('fallback inside of the retry: a later live result is reported as live', async () => {
    const { booted, call } = await users['a command']!({
      retry: { ...retry, onResult: (result) => result === 'none' },
      fallback: fallbackValue('none'),
      order: ['retry', 'fallback'],
    });
    const report = withReport(() => call((attempt) => (attempt === 1 ? down() : 'up')));
    await booted.clock.advance(1_000);
    await expect(report).resolves.toMatchObject({ value: 'up', calls: [{ source: 'live' }] });
  });

  it.each([
    ['before the next attempt', 1_500],
    ['while the next attempt runs', 2_500],
  ])(
    'fallback inside of a timeout: an answer that comes too late, %s, changes nothing',
    async (_, at) => {
      const late = deferred<string>();
      const live = deferred<string>();
      const { booted, call } = await users['a command']!({
        retry,
        timeout: '1s',
        fallback: () => late.promise,
        order: ['retry', 'attempt timeout', 'fallback'],
      });
      const report = withReport(() => call((attempt) => (attempt === 1 ? down() : live.promise)));
      await booted.clock.advance(at);
      late.resolve('late');
      await booted.clock.advance(2_900 - at);
      live.resolve('live');
      await expect(report).resolves.toMatchObject({
        value: 'live',
        calls: [{ source: 'live', attempts: 2 }],
      });
      expect(of('fallback', booted.events)).toEqual([]);
    },
  );
});

describe('told at bootstrap is', () => {
  const ROOT = 'ResilienceModule.forRoot(): ';
  const stages = `'fallback', 'total timeout', 'retry', 'circuit breaker', 'attempt timeout', 'bulkhead'`;

  /** A method under a pipeline of these options. */
  const under = (storagesvc: unknown): Promise<readonly string[]> =>
    problemsOf({ providers: [Storage], resilience: { pipelines: wrong({ storagesvc }) } });

  it.each([
    ['an unknown stage in an order', ['retry', 'retries'], `[ 'retry', 'retries' ]`],
    ['a stage that stands twice', ['retry', 'retry'], `[ 'retry', 'retry' ]`],
    ['an order that is no list', 'retry', `'retry'`],
  ])('%s', async (_, order, shown) => {
    expect(await under({ retry, order })).toContain(
      `${ROOT}pipelines['storagesvc'].order is ${shown}; use a list of ${stages}, each at most once`,
    );
  });

  it('a stage that an order leaves out', async () => {
    await expect(under({ retry, bulkhead: 1, order: ['retry'] })).resolves.toEqual([
      `Storage.call: has the stage 'bulkhead', which the order of its pipeline leaves out`,
    ]);
  });

  it('a stage that an order leaves out, added by a method, a command or an override', async () => {
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      @Timeout({ attempt: '1s', total: '5s' })
      async m(): Promise<void> {}
    }
    const maker = making((service) => {
      commandOf(service, { pipeline: 'storagesvc', bulkhead: 1 });
      service.pipeline('code', { retry, order: [] });
    });
    await expect(
      problemsOf({
        providers: [S, maker],
        resilience: {
          pipelines: { storagesvc: { retry, order: ['retry', 'attempt timeout'] } },
        },
      }),
    ).resolves.toEqual([
      `S.m: has the stage 'total timeout', which the order of its pipeline leaves out`,
      `command 'books': has the stage 'bulkhead', which the order of its pipeline leaves out`,
      `pipeline 'code': has the stage 'retry', which the order of its pipeline leaves out`,
    ]);
  });

  it('a pipeline that there is not, wherever it is used', async () => {
    @Injectable()
    class S {
      @UsePipeline('storage')
      async m(): Promise<void> {}
      @UsePipeline('')
      async n(): Promise<void> {}
    }
    @Injectable()
    @UsePipeline('storages')
    class T {
      async m(): Promise<void> {}
    }
    const maker = making((service) => commandOf(service, { pipeline: 'stored' }));
    await expect(
      problemsOf({
        providers: [S, T, maker],
        resilience: { pipelines: { storagesvc: {}, shippingsvc: {} } },
      }),
    ).resolves.toEqual(
      [
        ['S.m', 'storage'],
        ['S.n', ''],
        ['T.m', 'storages'],
        [`command 'books'`, 'stored'],
      ].map(
        ([who, name]) =>
          `${who}: uses pipeline '${name}'; forRoot({ pipelines }) has storagesvc, shippingsvc`,
      ),
    );
  });

  it('a pipeline of code, which decorators and commands do not know', async () => {
    const maker = making((service) => {
      service.pipeline('code', { retry });
      commandOf(service, { pipeline: 'code' });
    });
    await expect(problemsOf({ providers: [maker] })).resolves.toEqual([
      `command 'books': uses pipeline 'code'; forRoot({ pipelines }) has none`,
    ]);
  });

  it('a wrong option, with each user, and where it comes from', async () => {
    const maker = making((service) => commandOf(service, { pipeline: 'storagesvc' }));
    await expect(
      problemsOf({
        providers: [Storage, maker],
        resilience: { pipelines: { storagesvc: { retry: { maxRetries: -1 } } } },
      }),
    ).resolves.toEqual(
      ['Storage.call @Retry', `command 'books' retry`].map(
        (where) =>
          `${where}: maxRetries (from pipelines['storagesvc']) is -1; use a whole number of at least 0`,
      ),
    );
  });

  it('a wrong option of a pipeline that nobody uses', async () => {
    await expect(
      problemsOf({
        resilience: { pipelines: { storagesvc: { retry: { maxRetries: -1 }, timeout: '1s' } } },
      }),
    ).resolves.toEqual([
      `pipeline 'storagesvc' retry: maxRetries (from pipelines['storagesvc']) is -1; use a whole number of at least 0`,
    ]);
  });

  it.each([
    [
      'a policy that there is not',
      { retries: 3 },
      `pipelines['storagesvc'] has "retries", which is no policy; the policies are fallback, timeout, retry, circuitBreaker, bulkhead`,
    ],
    [
      'options that are none',
      { retry: true },
      `pipelines['storagesvc'].retry is true; use an object with options`,
    ],
    [
      'policies that are none',
      'fast',
      `pipelines['storagesvc'] must be an object with options by policy`,
    ],
    [
      'a policy taken off',
      { retry: false },
      `pipelines['storagesvc'].retry is false; use an object with options`,
    ],
  ])('%s', async (_, storagesvc, told) => {
    expect(await under(storagesvc)).toContain(ROOT + told);
  });

  it('pipelines that are none', async () => {
    await expect(problemsOf({ resilience: { pipelines: wrong(['storagesvc']) } })).resolves.toEqual(
      [`${ROOT}pipelines is [ 'storagesvc' ]; use an object`],
    );
  });

  it('a fallback by the name of a method that not all users have', async () => {
    const maker = making((service) => commandOf(service, { pipeline: 'storagesvc' }));
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      async m(): Promise<void> {}
      none(): void {}
    }
    await expect(
      problemsOf({
        providers: [S, Storage, maker],
        resilience: { pipelines: { storagesvc: { fallback: 'none' } } },
      }),
    ).resolves.toEqual([
      `Storage.call @Fallback: handler (from pipelines['storagesvc']) is 'none'; use the name of a method of Storage`,
      `command 'books' fallback: handler (from pipelines['storagesvc']) is 'none'; use a function; a method name works only on decorated methods`,
    ]);
  });

  it('former results without a key for code, whose arguments do not tell what it does', async () => {
    const maker = making((service) =>
      service.pipeline('code', { fallback: staleIfError({ ttl: '10m' }) }),
    );
    expect(await problemsOf({ providers: [maker] })).toContain(
      `pipeline 'code' fallback: staleIfError in a pipeline needs a key function: the arguments do not tell which code a result is of`,
    );
  });

  it('two classes of the same name, whose former results would be mixed up', async () => {
    const shelves = [1, 2].map(() => {
      @Injectable()
      class Shelf {
        @UsePipeline('stale')
        async books(): Promise<void> {}
      }
      return Shelf;
    });
    await expect(
      problemsOf({
        providers: [...shelves, ...cached().providers!],
        resilience: { pipelines: { stale: { fallback: staleIfError({ ttl: '10m' }) } } },
      }),
    ).resolves.toEqual([
      expect.stringContaining('Shelf.books @Fallback: another class is called Shelf too'),
    ]);
  });

  it('@UsePipeline() that stands twice', async () => {
    @Injectable()
    class S {
      @UsePipeline('a')
      @UsePipeline('b')
      async m(): Promise<void> {}
    }
    await expect(
      problemsOf({ providers: [S], resilience: { pipelines: { a: {}, b: {} } } }),
    ).resolves.toEqual(['S.m @UsePipeline: is applied twice; use it once']);
  });

  it('a pipeline of code and a command that would share a breaker by their names', async () => {
    const maker = making((service) => {
      commandOf(service, { circuitBreaker: {} }, 'storagesvc');
      service.pipeline('storagesvc', { circuitBreaker: {} });
    });
    await expect(problemsOf({ providers: [maker] })).resolves.toEqual([
      `pipeline 'storagesvc' circuitBreaker: what stands at command 'storagesvc' circuitBreaker is called storagesvc too, and both would share "storagesvc"; rename one, or give it a name of its own where it can have one: { name: '…' }`,
    ]);
  });

  it.each(['a method', 'code'])(
    'a pipeline of forRoot and a command that would share a breaker by their names, used by %s',
    async (user) => {
      const maker = making((service) => {
        commandOf(service, { circuitBreaker: {} }, 'storagesvc');
        if (user === 'code') service.pipeline('storagesvc');
      });
      const problems = await problemsOf({
        providers: [maker, ...(user === 'a method' ? [Storage] : [])],
        resilience: { pipelines: { storagesvc: { circuitBreaker: {} } } },
      });
      expect(problems).toEqual([
        expect.stringContaining('is called storagesvc too, and both would share "storagesvc"'),
      ]);
    },
  );

  it('a pipeline that is undefined, as of modules that import each other', async () => {
    @Injectable()
    class S {
      @UsePipeline(wrong(undefined))
      async m(): Promise<void> {}
    }
    const problems = problemsOf({ providers: [S], resilience: { pipelines: { a: { retry } } } });
    await expect(problems).resolves.toHaveLength(1);
  });
});
