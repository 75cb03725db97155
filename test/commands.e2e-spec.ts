import { AsyncLocalStorage } from 'node:async_hooks';
import {
  Inject,
  Injectable,
  Module,
  NotFoundException,
  type OnModuleInit,
  Scope,
} from '@nestjs/common';
import { firstValueFrom, of as just } from 'rxjs';
import {
  BulkheadFullError,
  type CallContext,
  CircuitBreaker,
  type Command,
  type FallbackContext,
  type FallbackHandler,
  RESILIENCE_SERVICE,
  ResilienceConfigurationError,
  ResilienceService,
  Retry,
  TimeoutError,
  constant,
  staleIfError,
  fallbackValue,
} from '../src/index.js';
import { closeAll, of } from './support/boot.js';
import {
  type Work,
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
import { Visits, deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);
refuseUnhandledRejections();

/** What definitions are given here the compiler refuses: it could come from JavaScript. */
const wrong = (given: unknown): any => given;

describe('execute()', () => {
  it('runs with a context and the arguments, by identity, on each attempt', async () => {
    const { service, clock } = await bootService();
    const seen: unknown[][] = [];
    const search = service.command('search', {
      run: async (context, words: string, filter: object) => {
        seen.push([context.name, context.attempt, words, filter]);
        if (seen.length < 3) throw new Error('down');
        return seen;
      },
      retry: { backoff: constant('1s') },
    });
    const filter = {};
    const result = search.execute('sea', filter);
    await clock.advance(2_000);
    await expect(result).resolves.toBe(seen);
    expect(seen).toEqual([
      ['search', 1, 'sea', filter],
      ['search', 2, 'sea', filter],
      ['search', 3, 'sea', filter],
    ]);
    for (const each of seen) expect(each[3]).toBe(filter);
  });

  it('begins at once', async () => {
    const { service } = await bootService();
    const visits = new Visits();
    const command = commandOf(service, { circuitBreaker: {}, bulkhead: 1, timeout: '1s' });
    const result = command.execute(() => visits.visit());
    expect(visits.count).toBe(1);
    await expect(result).resolves.toBe(1);
  });

  it('answers with a promise of what is returned', async () => {
    const { service } = await bootService();
    const command = commandOf(service, {});
    const book = { title: 'Moby Dick' };
    const result = command.execute(() => book);
    expect(result).toBeInstanceOf(Promise);
    await expect(result).resolves.toBe(book);
    await expect(command.execute(async () => book)).resolves.toBe(book);
    await expect(command.execute(() => undefined)).resolves.toBeUndefined();
  });

  it('throws whatever is thrown, as it is', async () => {
    const { service } = await bootService();
    const command = commandOf(service, { circuitBreaker: {}, timeout: '1s', bulkhead: 1 });
    for (const thrown of [new Error('down'), undefined, null, 'text', { code: 1 }] as unknown[]) {
      const atOnce = outcome(
        command.execute(() => {
          throw thrown;
        }),
      );
      expect((await atOnce).error).toBe(thrown);
      expect((await outcome(command.execute(() => Promise.reject(thrown)))).error).toBe(thrown);
    }
  });

  it('says clearly what is wrong when an Observable is returned', async () => {
    const { service } = await bootService();
    await expect(commandOf(service, {}).execute(() => just(1))).rejects.toThrow(
      'books returned a stream; make a promise of it, such as with firstValueFrom(), or decorate a method that returns it',
    );
  });

  it('runs a call that has waited in its own async context', async () => {
    const { service } = await bootService();
    const storage = new AsyncLocalStorage<string>();
    const first = deferred();
    const command = commandOf(service, { bulkhead: { maxConcurrent: 1, maxQueue: 1 } });
    const one = storage.run('one', () => command.execute(() => first.promise));
    const two = storage.run('two', () => command.execute(() => storage.getStore()));
    first.resolve();
    await one;
    await expect(two).resolves.toBe('two');
  });

  it('stands under all its policies, in the canonical order', async () => {
    const { service } = await bootService();
    const command = commandOf(service, {
      bulkhead: 3,
      timeout: { attempt: '1s', total: '5s' },
      circuitBreaker: { failureRate: 0.3 },
      retry: { maxRetries: 1 },
      fallback: fallbackValue('none'),
    });
    expect(command.describe()).toEqual({
      name: 'books',
      stages: [
        'fallback',
        'total timeout',
        'retry',
        'circuit breaker',
        'attempt timeout',
        'bulkhead',
      ],
      policies: [
        { kind: 'bulkhead', options: { maxConcurrent: 3 } },
        { kind: 'timeout', options: { attempt: '1s', total: '5s' } },
        { kind: 'circuitBreaker', options: { failureRate: 0.3 } },
        { kind: 'retry', options: { maxRetries: 1 } },
        { kind: 'fallback', options: { handler: fallbackValue('none') } },
      ],
    });
    expect(command.snapshot()).toMatchObject({
      name: 'books',
      circuitBreaker: { name: 'books', limits: { failureRate: 0.3 } },
      bulkhead: { name: 'books', maxConcurrent: 3 },
      attemptTimeoutMs: 1_000,
      maxConcurrentFallbacks: undefined,
    });
  });

  it('has no policy that it was not given', async () => {
    const { service, registry, bulkheads, clock } = await bootService();
    const command = commandOf(service, { retry: undefined, bulkhead: undefined });
    expect(command.describe()).toEqual({ name: 'books', stages: [], policies: [] });
    expect(command.snapshot()).toMatchObject({ circuitBreaker: undefined, bulkhead: undefined });
    expect([...registry, ...bulkheads]).toEqual([]);
    const work = deferred<string>();
    const result = command.execute(() => work.promise);
    await clock.advance(1e9);
    work.resolve('at last');
    await expect(result).resolves.toBe('at last');
  });

  it('has no breaker to show when there is one for each key', async () => {
    const { service, registry } = await bootService();
    const command = service.command('books', {
      run: (_context, host: string) => host,
      circuitBreaker: { key: (host: string) => host },
    });
    await command.execute('a');
    await command.execute('b');
    expect(command.snapshot().circuitBreaker).toBeUndefined();
    expect(registry.names()).toEqual(['books[a]', 'books[b]']);
  });
});

describe('the signal of the context', () => {
  it('is made only for who asks for it', async () => {
    let made = 0;
    const Original = globalThis.AbortController;
    class Counted extends Original {
      constructor() {
        super();
        made += 1;
      }
    }
    const { service, clock } = await bootService();
    const command = commandOf(service, {
      retry: { maxRetries: 1, backoff: constant('1s') },
      timeout: { attempt: '1s', total: '10s' },
      bulkhead: { maxConcurrent: 1, maxQueue: 1 },
      circuitBreaker: {},
      fallback: fallbackValue('none'),
    });
    globalThis.AbortController = Counted;
    try {
      await command.execute(() => 1);
      const retried = command.execute(down);
      const waiting = command.queue(({ attempt }) => attempt);
      await clock.advance(10_000);
      await Promise.all([retried, waiting.result]);
      await command.execute(({ name }) => name);
      await firstValueFrom(command.observe(() => 1));
      expect(made).toBe(0);
      await command.execute(({ signal }) => signal.aborted);
      await command.execute((context) => [context.signal, context.signal]);
      expect(made).toBe(2);
    } finally {
      globalThis.AbortController = Original;
    }
  });

  it('is one for an attempt, aborted with the reason when that times out; the next has a new one', async () => {
    const { service, clock } = await bootService();
    const signals: AbortSignal[] = [];
    const command = commandOf(service, {
      timeout: '1s',
      retry: { maxRetries: 1, backoff: constant(1) },
    });
    const result = command.execute((context) => {
      signals.push(context.signal);
      expect(context.signal).toBe(context.signal);
      return signals.length === 1 ? hang() : 'second';
    });
    await clock.advance(1_001);
    await expect(result).resolves.toBe('second');
    const [first, second] = signals as [AbortSignal, AbortSignal];
    expect(first.aborted).toBe(true);
    expect(first.reason).toBeInstanceOf(TimeoutError);
    expect(second).not.toBe(first);
    expect(second.aborted).toBe(false);
  });

  it('is aborted when it is asked for after its attempt has been given up', async () => {
    const { service } = await bootService();
    const asked = deferred();
    const seen = deferred<AbortSignal>();
    const handle = commandOf(service, {}).queue(async (context) => {
      await asked.promise;
      seen.resolve(context.signal);
    });
    handle.cancel('why');
    asked.resolve();
    expect(await seen.promise).toMatchObject({ aborted: true, reason: 'why' });
  });
});

describe('a fallback that is', () => {
  it('a function gets a context and the arguments', async () => {
    const { service, clock } = await bootService();
    const error = new Error('down');
    const given: unknown[][] = [];
    const command = service.command('search', {
      run: async (_context, _words: string, _page: number): Promise<string> => {
        throw error;
      },
      fallback: (...all: [FallbackContext, string, number]) => {
        given.push(all);
        return 'from the shelf';
      },
      retry: { maxRetries: 1, backoff: constant('1s') },
    });
    const result = command.execute('sea', 2);
    await clock.advance(1_000);
    await expect(result).resolves.toBe('from the shelf');
    const context = { name: 'search', error, rejected: false, attempts: 2 };
    expect(given).toEqual([[context, 'sea', 2]]);
    expect((given[0]![0] as FallbackContext).error).toBe(error);
  });

  it('a value answers with that object', async () => {
    const { service } = await bootService();
    const shelf = { books: [] };
    const command = commandOf(service, { fallback: fallbackValue(shelf) });
    expect(await command.execute(down)).toBe(shelf);
    expect(await command.execute(down)).toBe(shelf);
  });

  it('a class that Nest injects', async () => {
    @Injectable()
    class Archive {
      readonly books = new Map([['sea', 'Moby Dick']]);
    }
    @Injectable()
    class FromArchive implements FallbackHandler<readonly [string], string | undefined> {
      constructor(@Inject(Archive) private readonly archive: Archive) {}
      handle({ name }: FallbackContext, words: string): string {
        return `${name}: ${this.archive.books.get(words)}`;
      }
    }
    const { service } = await bootService({}, { providers: [Archive, FromArchive] });
    const search = service.command('search', {
      run: (_context: CallContext, _words: string): Promise<string> => down(),
      fallback: FromArchive,
    });
    await expect(search.execute('sea')).resolves.toBe('search: Moby Dick');
  });

  it('a list: the one whose error class is nearest answers', async () => {
    const { service } = await bootService();
    const command = commandOf(service, {
      fallback: [
        { on: [Error], handler: fallbackValue('an error') },
        { on: [RangeError], handler: () => 'out of range' },
        { handler: fallbackValue('anything else') },
      ],
    });
    const failing = (error: unknown): Promise<unknown> =>
      command.execute(() => Promise.reject(error));
    await expect(failing(new RangeError())).resolves.toBe('out of range');
    await expect(failing(new EvalError())).resolves.toBe('an error');
    await expect(failing('text')).resolves.toBe('anything else');
  });

  it('one with options answers for what these say', async () => {
    const { service } = await bootService();
    class Known extends NotFoundException {}
    const command = commandOf(service, {
      fallback: { handler: () => 'none', on: [NotFoundException], skip: [Known] },
    });
    const failing = (error: unknown): Promise<unknown> =>
      command.execute(() => Promise.reject(error));
    await expect(failing(new NotFoundException())).resolves.toBe('none');
    await expect(failing(new Known())).rejects.toThrow(Known);
    await expect(failing(new Error('down'))).rejects.toThrow('down'); // on narrows
  });

  it('limited answers for so many calls at a time; one beyond keeps its error', async () => {
    const { service, events } = await bootService();
    const answers = [deferred<string>(), deferred<string>()];
    const error = new Error('third');
    let asked = 0;
    const command = commandOf(service, {
      fallback: { handler: () => answers[asked++]!.promise, maxConcurrent: 2 },
    });
    expect(command.snapshot().maxConcurrentFallbacks).toBe(2);
    const one = command.execute(down);
    const two = command.execute(down);
    const three = outcome(command.execute(() => Promise.reject(error)));
    expect((await three).error).toBe(error);
    answers[0]!.resolve('one');
    await expect(one).resolves.toBe('one');
    answers[1]!.reject(new Error('no book either'));
    await expect(two).rejects.toThrow('no book either');
    expect(of('rejected', events)).toEqual([
      { type: 'rejected', name: 'books', policy: 'fallback', code: 'FALLBACK_FULL' },
    ]);
    answers.push(deferred());
    const four = command.execute(down);
    await settle();
    answers[2]!.resolve('four');
    await expect(four).resolves.toBe('four');
  });

  it('a former result, kept by command and arguments', async () => {
    const { service } = await bootService({}, cached());
    let up = true;
    const command = (name: string): Command<[words: string], string> =>
      service.command(name, {
        run: async (_context, words: string) => (up ? `${name}: ${words}` : down()),
        fallback: staleIfError({ ttl: '10m' }),
      });
    const [books, films] = [command('books'), command('films')];
    await books.execute('sea');
    await films.execute('sea');
    await settle();
    up = false;
    await expect(books.execute('sea')).resolves.toBe('books: sea');
    await expect(films.execute('sea')).resolves.toBe('films: sea');
    await expect(books.execute('land')).rejects.toThrow('down');
  });

  it.each([
    ['alone', 'none', 'handler'],
    ['in a list', [{ handler: 'none' }], 'handler[0].handler'],
    ['in options', { handler: 'none' }, 'handler'],
  ])('a method name is refused, %s', async (_, fallback, path) => {
    const maker = making((service) =>
      service.command('books', { run: down, fallback: wrong(fallback) }),
    );
    await expect(problemsOf({ providers: [maker] })).resolves.toEqual([
      `command 'books' fallback: ${path} is 'none'; use a function; a method name works only on decorated methods`,
    ]);
  });

  it('a class that is no provider is refused', async () => {
    class Unprovided {
      handle(): void {}
    }
    const maker = making((service) =>
      service.command('books', { run: down, fallback: Unprovided as never }),
    );
    await expect(problemsOf({ providers: [maker] })).resolves.toEqual([
      expect.stringMatching(
        /^command 'books' fallback: handler is .*Unprovided; use a class that a/,
      ),
    ]);
  });
});

describe('commands of the same name', () => {
  const policies = {
    circuitBreaker: { consecutiveFailures: 2 },
    bulkhead: { maxConcurrent: 2, maxQueue: 0 },
  };

  it('share their breaker, their bulkhead and their numbers; each has its own functions', async () => {
    const { service } = await bootService();
    const one = service.command('books', {
      run: async (_context, words: string): Promise<string> => `one: ${words}`,
      fallback: ({ error }, words: string) => `not one: ${words}, ${(error as Error).name}`,
      ...policies,
    });
    const two = service.command('books', {
      run: async (_context, id: number): Promise<number> => (id < 0 ? down() : id),
      fallback: (_context, id: number) => -id,
      ...policies,
    });
    await expect(one.execute('sea')).resolves.toBe('one: sea');
    await expect(two.execute(2)).resolves.toBe(2);
    await expect(two.execute(-2)).resolves.toBe(2);
    await expect(two.execute(-3)).resolves.toBe(3);
    await expect(one.execute('sea')).resolves.toBe('not one: sea, CircuitOpenError');
    expect(one.snapshot()).toEqual(two.snapshot());
    expect(one.snapshot()).toMatchObject({
      circuitBreaker: { state: 'open' },
      metrics: {
        counts: {
          success: 2,
          failure: 2,
          rejected: { circuitOpen: 1 },
          fallback: { success: 3 },
        },
      },
    });
  });

  it('share the places of their bulkhead', async () => {
    const { service } = await bootService();
    const [one, two] = [commandOf(service, policies), commandOf(service, policies)];
    const work = deferred();
    const running = [one.execute(() => work.promise), two.execute(() => work.promise)];
    await expect(one.execute(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
    await expect(two.execute(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
    expect(one.snapshot().bulkhead).toMatchObject({ running: 2, rejected: 2 });
    work.resolve();
    await Promise.all(running);
  });

  it('keep their functions when these stand among options of the fallback', async () => {
    const { service } = await bootService();
    const command = (answer: string): Command =>
      service.command('books', {
        run: down,
        fallback: { handler: () => answer, maxConcurrent: 1 },
      });
    const [one, two] = [command('one'), command('two')];
    await expect(two.execute()).resolves.toBe('two');
    await expect(one.execute()).resolves.toBe('one');
  });

  it('may be made by each instance of a request-scoped provider', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Shelf {
      private static made = 0;
      readonly number = ++Shelf.made;
      readonly book: Command<[], string>;
      constructor(@Inject(RESILIENCE_SERVICE) service: ResilienceService) {
        this.book = service.command('book', {
          run: async () => (this.number === 3 ? down() : `from ${this.number}`),
          fallback: () => `none of ${this.number}`,
          ...policies,
        });
      }
    }
    const { app, service } = await bootService({}, { providers: [Shelf] });
    const shelves = [await app.resolve(Shelf), await app.resolve(Shelf), await app.resolve(Shelf)];
    const books: string[] = [];
    for (const { book } of shelves) books.push(await book.execute());
    expect(books).toEqual(['from 1', 'from 2', 'none of 3']);
    expect([...service.commands()].map(({ name }) => name)).toEqual(['book']);
    expect([...service.commands()][0]!.snapshot().metrics.counts).toMatchObject({
      success: 2,
      failure: 1,
    });
  });

  it('are listed once', async () => {
    const { service } = await bootService();
    commandOf(service, policies);
    commandOf(service, policies);
    commandOf(service, {}, 'films');
    expect([...service.commands()].map(({ name }) => name)).toEqual(['books', 'films']);
  });

  it.each([
    [
      'another one',
      { retry: { maxRetries: 1 }, timeout: '1s' },
      { retry: { maxRetries: 2 }, timeout: '1s' },
      'retry is { maxRetries: 1 } there and { maxRetries: 2 } here',
    ],
    [
      'one more',
      { timeout: '1s' },
      { timeout: '1s', bulkhead: 3 },
      'bulkhead is undefined there and { maxConcurrent: 3 } here',
    ],
    [
      'several others',
      { timeout: '1s', circuitBreaker: 'a' },
      { timeout: '2s', circuitBreaker: 'b' },
      `timeout is { attempt: '1s' } there and { attempt: '2s' } here, circuitBreaker is { name: 'a' } there and { name: 'b' } here`,
    ],
    [
      'another limit of the fallback',
      { fallback: { handler: () => 1, maxConcurrent: 1 } },
      { fallback: { handler: () => 1, maxConcurrent: 2 } },
      'fallback is { handler: [Function: fallback], maxConcurrent: 1 } there and { handler: [Function: fallback], maxConcurrent: 2 } here',
    ],
    [
      'another value for a fallback',
      { fallback: fallbackValue(1) },
      { fallback: fallbackValue(2) },
      `fallback is { handler: { kind: 'value', value: 1 } } there and { handler: { kind: 'value', value: 2 } } here`,
    ],
  ] as const)('with other options are refused: %s', async (_, one, two, difference) => {
    const { service } = await bootService();
    commandOf(service, one);
    expect(problemsBy(() => commandOf(service, two))).toEqual([
      `command 'books': there is one with other options: ${difference}; use the same ones, or another name`,
    ]);
  });

  it('with another pipeline are refused', async () => {
    const { service } = await bootService({ pipelines: { a: {}, b: {} } });
    commandOf(service, { pipeline: 'a' });
    for (const pipeline of ['b', undefined]) {
      expect(problemsBy(() => commandOf(service, { pipeline }))).toEqual([
        expect.stringContaining(`pipeline is 'a' there and ${pipeline ? "'b'" : undefined} here`),
      ]);
    }
  });

  it('may give in full what another one gives in short', async () => {
    const { service } = await bootService();
    commandOf(service, {
      bulkhead: 3,
      timeout: '1s',
      circuitBreaker: 'a',
      fallback: fallbackValue(1),
    });
    const command = commandOf(service, {
      bulkhead: { maxConcurrent: 3 },
      timeout: { attempt: '1s' },
      circuitBreaker: { name: 'a' },
      fallback: { handler: fallbackValue(1) },
      retry: undefined,
    });
    await expect(command.execute(down)).resolves.toBe(1);
  });
});

describe('made in the constructor of a provider', () => {
  it('commands are checked at bootstrap, with all else', async () => {
    @Injectable()
    class Books {
      constructor(@Inject(ResilienceService) service: ResilienceService) {
        service.command('list', { run: down, timeout: wrong('soon'), retry: { maxRetries: -1 } });
        service.command('find', { run: down, pipeline: 'storage' });
      }
      @Retry({ maxRetries: -2 })
      async m(): Promise<void> {}
      @CircuitBreaker({ name: 'storagesvc', failureRate: 0.5 })
      async n(): Promise<void> {}
    }
    const maker = making((service) =>
      service.command('films', {
        run: down,
        circuitBreaker: { name: 'storagesvc', failureRate: 1 },
      }),
    );
    const problems = await problemsOf({
      providers: [Books, maker],
      resilience: { random: wrong(7) },
    });
    expect([...problems].sort()).toEqual([
      'Books.m @Retry: maxRetries is -2; use a whole number of at least 0',
      'ResilienceModule.forRoot(): random is 7; use a function',
      `command 'films' circuitBreaker: "storagesvc" has other options at Books.n @CircuitBreaker: failureRate is 0.5 there and 1 here; use the same ones, or put them into forRoot({ configs })`,
      `command 'find': uses pipeline 'storage'; forRoot({ pipelines }) has none`,
      `command 'list' retry: maxRetries is -1; use a whole number of at least 0`,
      expect.stringMatching(/^command 'list' timeout: attempt is 'soon'; use milliseconds or a/),
    ]);
  });

  it('definitions that are none are told together with all other problems', async () => {
    @Injectable()
    class Books {
      constructor(@Inject(ResilienceService) service: ResilienceService) {
        service.command('list', wrong({ run: down, retries: 3 }));
        service.command('', { run: down });
        service.command('find', wrong({ run: 'fast', retry: { maxRetries: -1 } }));
        service.command('none', wrong(down));
        service.pipeline('storagesvc', wrong({ order: 7 }));
      }
      @Retry({ maxRetries: -2 })
      async m(): Promise<void> {}
    }
    const problems = await problemsOf({ providers: [Books] });
    expect([...problems].sort()).toEqual([
      'Books.m @Retry: maxRetries is -2; use a whole number of at least 0',
      `command '': the name is ''; use a non-empty string`,
      `command 'find' retry: maxRetries is -1; use a whole number of at least 0`,
      `command 'find': run is 'fast'; use a function`,
      `command 'list': has "retries", which is no policy; the policies are fallback, timeout, retry, circuitBreaker, bulkhead`,
      expect.stringContaining(`command 'none': the policies are function down`),
      expect.stringContaining(`pipeline 'storagesvc': order is 7; use a list of `),
    ]);
  });

  it('a definition that is missing is told, too', async () => {
    const maker = making((service) => service.command('books', wrong(undefined)));
    await expect(problemsOf({ providers: [maker] })).resolves.toHaveLength(1);
  });

  it('so are names that are taken, or are not there', async () => {
    const maker = making((service) => {
      commandOf(service, { timeout: '1s' });
      commandOf(service, { timeout: '2s' });
      service.pipeline('root', { retry: {} });
      service.pipeline('code', { retry: {} });
      service.pipeline('code', { bulkhead: 1 });
      service.pipeline('nowhere');
    });
    const problems = await problemsOf({
      providers: [maker],
      resilience: { pipelines: { root: { retry: { maxRetries: -1 } } } },
    });
    expect([...problems].sort()).toEqual([
      expect.stringContaining(`command 'books': there is one with other options: timeout is`),
      expect.stringContaining(`pipeline 'code': there is one with other options: retry is`),
      expect.stringContaining(
        `pipeline 'nowhere': there is none; give its policies, or use one of`,
      ),
      `pipeline 'root' retry: maxRetries (from pipelines['root']) is -1; use a whole number of at least 0`,
      `pipeline 'root': is defined in forRoot({ pipelines }); leave the policies out here`,
    ]);
  });

  it('their class fallbacks may be providers that come later', async () => {
    @Injectable()
    class Late {
      handle(): string {
        return 'late';
      }
    }
    const made = deferred<Command<[], string>>();
    const maker = making((service) =>
      made.resolve(
        service.command('books', { run: (): Promise<string> => down(), fallback: Late }),
      ),
    );
    await bootService({}, { providers: [maker, Late] });
    await expect((await made.promise).execute()).resolves.toBe('late');
  });
});

describe('before the application has started', () => {
  const policies = { circuitBreaker: { consecutiveFailures: 2 }, fallback: () => 'none' };

  it.each(['a constructor', 'a factory', 'onModuleInit'])(
    'commands work in %s, and keep their state',
    async (place) => {
      const visits = new Visits();
      const run = (): Promise<string> => {
        visits.visit();
        return down();
      };
      const early: Promise<string>[] = [];
      @Injectable()
      class Books implements OnModuleInit {
        readonly command: Command<[], string>;
        constructor(@Inject(ResilienceService) service: ResilienceService) {
          this.command = service.command('books', { run, ...policies });
          if (place === 'a constructor') early.push(this.command.execute());
        }
        onModuleInit(): void {
          if (place === 'onModuleInit') early.push(this.command.execute());
        }
      }
      const factory = {
        provide: 'factory',
        inject: [Books],
        useFactory: async ({ command }: Books) => {
          if (place === 'a factory') early.push(Promise.resolve(await command.execute()));
        },
      };
      const { app, registry } = await bootService({}, { providers: [Books, factory] });
      expect(early).toHaveLength(1);
      await expect(early[0]).resolves.toBe('none');
      expect(registry.get('books').counts).toMatchObject({ requests: 1, failures: 1 });
      await app.get(Books).command.execute();
      expect(registry.get('books').state).toBe('open');
      await app.get(Books).command.execute();
      expect(visits.count).toBe(2);
    },
  );

  it('fallbacks that are at work count against their limit afterwards, too', async () => {
    const answer = deferred<string>();
    const early: Promise<string>[] = [];
    const made: Command<[], string>[] = [];
    const maker = making((service) => {
      const command = service.command('books', {
        run: (): Promise<string> => down(),
        fallback: { handler: () => answer.promise, maxConcurrent: 1 },
      });
      made.push(command);
      early.push(command.execute());
    });
    await bootService({}, { providers: [maker] });
    await expect(made[0]!.execute()).rejects.toThrow('down');
    answer.resolve('none');
    await expect(early[0]).resolves.toBe('none');
  });

  it('one that is wrong fails when it is used, and is told of all the same', async () => {
    const used: Promise<{ error?: unknown }>[] = [];
    const maker = making((service) => {
      const command = service.command('books', { run: down, retry: { maxRetries: -1 } });
      used.push(outcome(command.execute()), outcome(firstValueFrom(command.observe())));
      expect(problemsBy(() => command.queue())).toEqual([problem]);
    });
    const problem = `command 'books' retry: maxRetries is -1; use a whole number of at least 0`;
    await expect(problemsOf({ providers: [maker] })).resolves.toEqual([problem]);
    expect(used).toHaveLength(2);
    for (const { error } of await Promise.all(used)) {
      expect((error as ResilienceConfigurationError).problems).toEqual([problem]);
    }
  });
});

describe('made later', () => {
  it('commands are checked at once, and a corrected second try works', async () => {
    const { service, registry } = await bootService();
    const make = (minimumCalls: number): Command =>
      service.command('books', {
        run: down,
        circuitBreaker: { minimumCalls, failureRate: 0.5 },
        bulkhead: 2,
      });
    expect(problemsBy(() => make(0.5))).toEqual([
      `command 'books' circuitBreaker: minimumCalls is 0.5; use a whole number of at least 1`,
    ]);
    expect([...service.commands()]).toEqual([]);
    expect(registry.names()).toEqual([]);
    const command = make(5);
    await expect(command.execute()).rejects.toThrow('down');
    expect(command.snapshot().circuitBreaker?.limits.minimumCalls).toBe(5);
  });

  it('they tell all their problems together', async () => {
    const { service } = await bootService();
    const problems = problemsBy(() =>
      commandOf(service, {
        retry: { maxRetries: -1 },
        bulkhead: 0,
        timeout: { attempt: '2s', total: '1s' },
      }),
    );
    expect(problems).toHaveLength(3);
  });

  it('they may not want other options of a breaker that is there', async () => {
    @Injectable()
    class S {
      @CircuitBreaker({ name: 'storagesvc', failureRate: 0.5 })
      async m(): Promise<void> {}
    }
    const { service } = await bootService({}, { providers: [S] });
    expect(
      problemsBy(() =>
        commandOf(service, { circuitBreaker: { name: 'storagesvc', failureRate: 1 } }),
      ),
    ).toEqual([
      `command 'books' circuitBreaker: "storagesvc" has other options at S.m @CircuitBreaker: failureRate is 0.5 there and 1 here; use the same ones, or put them into forRoot({ configs })`,
    ]);
    commandOf(service, { circuitBreaker: 'storagesvc' });
  });
});

describe('refused at once is', () => {
  it.each([
    ['an empty name', '', { run: down }, `command '': the name is ''; use a non-empty string`],
    ['no name', undefined, { run: down }, 'command undefined: the name is undefined; use a'],
    ['no definition', 'x', undefined, `command 'x': the policies are undefined`],
    ['a function as definition', 'x', down, `command 'x': the policies are function down`],
    ['nothing to run', 'x', { timeout: '1s' }, `command 'x': run is undefined; use a function`],
    ['a run that is none', 'x', { run: 'fast' }, `command 'x': run is 'fast'; use a function`],
    [
      'a pipeline without a name',
      'x',
      { run: down, pipeline: {} },
      `command 'x': pipeline is {}; use the name of one`,
    ],
    [
      'what is no policy',
      'x',
      { run: down, retries: 3 },
      `command 'x': has "retries", which is no policy; the policies are fallback, timeout, retry, circuitBreaker, bulkhead`,
    ],
    [
      'a policy without options',
      'x',
      { run: down, retry: true },
      `command 'x': retry is true; use an object with options`,
    ],
  ])('%s', async (_, name, definition, told) => {
    const { service } = await bootService();
    expect(problemsBy(() => service.command(wrong(name), wrong(definition)))).toEqual([
      expect.stringContaining(told),
    ]);
    expect([...service.commands()]).toEqual([]);
  });

  it('no options at all, in a sentence', async () => {
    const { service } = await bootService();
    const right = 'use an object with options by policy';
    expect(problemsBy(() => service.command('x', wrong(7)))).toEqual([
      `command 'x': the policies are 7; ${right}`,
    ]);
    expect(problemsBy(() => service.pipeline('x', wrong(null)))).toEqual([
      `pipeline 'x': the policies are null; ${right}`,
    ]);
  });

  it('an order of its own', async () => {
    const { service } = await bootService();
    expect(
      problemsBy(() => service.command('x', wrong({ run: down, retry: {}, order: ['retry'] }))),
    ).toEqual([expect.stringContaining('order')]);
  });
});

describe('configuration of commands', () => {
  const optionsOf = (command: Command<never[], unknown>): unknown =>
    command.describe().policies[0]?.options;

  it('comes from defaults, named configurations, the definition and overrides; later wins', async () => {
    const made: Command<[work: Work], unknown>[] = [];
    const own = { config: 'patient', maxRetries: 3 };
    const maker = making((service) => {
      made.push(
        commandOf(service, { retry: {} }, 'plain'),
        commandOf(service, { retry: { config: 'patient' } }, 'configured'),
        commandOf(service, { retry: own }, 'own'),
        commandOf(service, { retry: own }, 'overridden'),
      );
    });
    await bootService(
      {
        defaults: { retry: { maxRetries: 1, maxElapsedTime: '1m' } },
        configs: { patient: { retry: { maxRetries: 2 } } },
        overrides: { overridden: { retry: { maxRetries: 4 } } },
      },
      { providers: [maker] },
    );
    expect(made.map((command) => optionsOf(command as never))).toEqual(
      [1, 2, 3, 4].map((maxRetries) => ({ maxRetries, maxElapsedTime: '1m' })),
    );
  });

  it('takes the configuration that is called as its breaker is', async () => {
    const { service } = await bootService({
      configs: { storagesvc: { circuitBreaker: { openFor: '9s' } } },
    });
    const command = commandOf(service, { circuitBreaker: 'storagesvc' });
    expect(command.snapshot().circuitBreaker?.limits.openForMs).toBe(9_000);
  });

  it('is overridden for all, and more specially by name, in what is made later too', async () => {
    const maker = making((service) => commandOf(service, { timeout: '1s', bulkhead: 1 }));
    const { service } = await bootService(
      {
        overrides: {
          books: { timeout: '3s', bulkhead: false },
          '*': { timeout: { attempt: '2s' } },
        },
      },
      { providers: [maker] },
    );
    const books = commandOf(service, { timeout: '1s', bulkhead: 1 });
    const films = commandOf(service, { timeout: '1s', bulkhead: 1 }, 'films');
    expect(books.snapshot()).toMatchObject({ attemptTimeoutMs: 3_000, bulkhead: undefined });
    expect(films.snapshot()).toMatchObject({
      attemptTimeoutMs: 2_000,
      bulkhead: { maxConcurrent: 1 },
    });
  });

  it('tells of an override that meets nothing, with the commands that there are', async () => {
    const maker = making((service) => [
      commandOf(service, { timeout: '1s' }),
      commandOf(service, { timeout: '1s' }, 'films'),
    ]);
    const overrides = { boks: { timeout: '2s' }, films: { bulkhead: 3 } } as const;
    await expect(problemsOf({ providers: [maker], resilience: { overrides } })).resolves.toEqual([
      `ResilienceModule.forRoot(): overrides has 'boks', which is no decorated class or method, command or pipeline; there are *, books, films`,
      `ResilienceModule.forRoot(): overrides['films'] has bulkhead, but films has no such policy; an override can change policies, not add them`,
    ]);
  });

  it('says where a wrong option comes from', async () => {
    const maker = making((service) => commandOf(service, { retry: {} }));
    const overrides = { books: { retry: { maxRetries: 0.5 } } };
    await expect(problemsOf({ providers: [maker], resilience: { overrides } })).resolves.toEqual([
      `command 'books' retry: maxRetries (from overrides['books']) is 0.5; use a whole number of at least 0`,
    ]);
  });

  it('of its breaker is changed while it works', async () => {
    const { service, registry } = await bootService();
    const command = commandOf(service, { circuitBreaker: { consecutiveFailures: 3 } });
    await outcome(command.execute(down));
    registry.reconfigure('books', { consecutiveFailures: 2 });
    await outcome(command.execute(down));
    expect(command.snapshot().circuitBreaker?.state).toBe('open');
    expect(optionsOf(command as never)).toEqual({ consecutiveFailures: 2 });
  });
});

it('two applications in one process keep their commands apart', async () => {
  @Module({})
  class Part {}
  const [one, two] = [
    await bootService({}, { imports: [Part] }),
    await bootService({}, { imports: [Part] }),
  ];
  const policies = { circuitBreaker: { consecutiveFailures: 1 } };
  await outcome(commandOf(one.service, policies).execute(down));
  expect(commandOf(one.service, policies).snapshot().circuitBreaker?.state).toBe('open');
  expect(commandOf(two.service, policies).snapshot().circuitBreaker?.state).toBe('closed');
});
