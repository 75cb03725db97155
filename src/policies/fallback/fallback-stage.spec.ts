import { runInNewContext } from 'node:vm';
import { HttpException } from '@nestjs/common';
import { ResilienceError } from '../../common/errors.js';
import { OptionsReader, Problems } from '../../common/options-reader.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import type { PolicySite, ProtectedMethod } from '../policy.js';
import { fallbackPolicy } from './fallback.policy.js';
import { type FallbackContext, fallbackValue } from './handler.js';
import type { FallbackOptions } from './options.js';
import { staleIfError } from './stale-if-error.js';

class Rejection extends ResilienceError {
  constructor(code = 'CIRCUIT_OPEN') {
    super({ code, policy: 'p', policyName: 'n', status: 503, title: 't', message: 'm' });
  }
}

/** The service whose method is protected. */
class Books {
  readonly calls: unknown[] = [];

  list(): void {}

  former(...args: unknown[]): string {
    this.calls.push(args);
    return 'former';
  }
}

const down = new Error('down');
const failing = (): Promise<never> => Promise.reject(down);

class Bench {
  readonly clock = new ManualClock();
  readonly events = new ResilienceEvents();
  readonly told: ResilienceEvent[] = [];
  readonly warnings: string[] = [];
  readonly problems = new Problems();
  readonly books = new Books();
  readonly providers = new Map<unknown, unknown>();
  private pipeline: Pipeline | undefined;

  constructor(
    private readonly options: FallbackOptions,
    private readonly method: Partial<ProtectedMethod> = {},
  ) {
    this.events.subscribe((event) => void this.told.push(event));
  }

  /** Options are read when the first call is made, or here. */
  read(): Pipeline {
    const { clock, events, providers } = this;
    const site: Partial<PolicySite> = {
      name: 'Books.list',
      method: {
        name: 'list',
        key: 'list',
        owner: Books,
        target: Books.prototype,
        arity: 2,
        handler: false,
        sendsResponse: false,
        ...this.method,
      },
      optionsOf: () => undefined,
      clock,
      events,
      warn: (message) => void this.warnings.push(message),
      resolve: (token) => providers.get(token),
      callAsFallback: (self, name, args) =>
        (self as Record<string, (...args: unknown[]) => unknown>)[name]!(...args),
    };
    const read = new OptionsReader(this.options, 'here', this.problems);
    const settings = fallbackPolicy.settle(read, site as PolicySite);
    read.done();
    const { fallback } = fallbackPolicy.stages(settings, site as PolicySite);
    return (this.pipeline = new Pipeline('Books.list', [fallback!()], events));
  }

  call(work: () => unknown, args: readonly unknown[] = []): TestCall {
    const { clock, books: self } = this;
    return new TestCall(work, { clock, args, self, interruptible: true });
  }

  run(work: () => unknown = failing, args: readonly unknown[] = []): Promise<unknown> {
    return this.start(this.call(work, args));
  }

  start(call: TestCall): Promise<unknown> {
    const pipeline = this.pipeline ?? this.read();
    expect(this.problems.all).toEqual([]);
    return pipeline.run(call);
  }

  get fallbackEvents(): ResilienceEvent[] {
    return this.told.filter(({ type }) => type === 'fallback');
  }
}

const problemsOf = (options: object, site: Partial<ProtectedMethod> = {}): readonly string[] => {
  const bench = new Bench(options, site);
  bench.read();
  return bench.problems.all;
};

describe('a fallback', () => {
  it('does nothing when the call succeeds', async () => {
    const handler = jest.fn();
    const bench = new Bench({ handler });
    const call = bench.call(() => 'books');
    await expect(bench.start(call)).resolves.toBe('books');
    expect(handler).not.toHaveBeenCalled();
    expect(call.source).toBe('live');
    expect(bench.fallbackEvents).toEqual([]);
  });

  it('that is a function gets a context and the arguments, and answers', async () => {
    const handler = jest.fn(async (..._given: unknown[]) => 'from fallback');
    const bench = new Bench({ handler });
    const args = [{}, 2];
    const call = bench.call(failing, args);
    await expect(bench.start(call)).resolves.toBe('from fallback');
    const context: FallbackContext = {
      name: 'Books.list',
      error: down,
      rejected: false,
      attempts: 1,
    };
    expect(handler.mock.calls).toEqual([[context, ...args]]);
    expect(handler.mock.calls[0]![1]).toBe(args[0]);
    expect(call.source).toBe('fallback');
    expect(bench.fallbackEvents).toEqual([
      {
        type: 'fallback',
        name: 'Books.list',
        handler: 'mockConstructor',
        outcome: 'success',
        error: down,
      },
    ]);
  });

  it('may answer with undefined', async () => {
    await expect(new Bench({ handler: () => undefined }).run()).resolves.toBeUndefined();
  });

  it('that is a method is called on the same object, the context after the declared parameters', async () => {
    const bench = new Bench({ handler: 'former' });
    await expect(bench.run(failing, ['a'])).resolves.toBe('former');
    await bench.run(failing, ['a', 'b', 'c']);
    const context = expect.objectContaining({ error: down });
    expect(bench.books.calls).toEqual([
      ['a', undefined, context],
      ['a', 'b', 'c', context],
    ]);
  });

  it('that is a class is the provider of the application', async () => {
    class FormerBooks {
      constructor(private readonly answer: string) {}

      handle({ error }: FallbackContext, ...args: string[]): string {
        return `${this.answer} to ${(error as Error).message} of ${args.join()}`;
      }
    }
    const bench = new Bench({ handler: FormerBooks });
    bench.providers.set(FormerBooks, new FormerBooks('former'));
    await expect(bench.run(failing, ['a', 'b'])).resolves.toBe('former to down of a,b');
    expect(bench.fallbackEvents[0]).toMatchObject({ handler: 'FormerBooks' });
  });

  it('that is a value is that very value', async () => {
    const books: unknown[] = [];
    const bench = new Bench({ handler: fallbackValue(books) });
    await expect(bench.run()).resolves.toBe(books);
    await expect(new Bench({ handler: fallbackValue(undefined) }).run()).resolves.toBeUndefined();
    expect(bench.fallbackEvents[0]).toMatchObject({ handler: 'value' });
  });

  it.each([
    ['our own rejections', new Rejection(), true],
    ['our own timeouts', new Rejection('TIMEOUT'), true],
    ['a 503 of somebody else', new HttpException('x', 503), false],
    ['a malformed answer', new SyntaxError('x'), false],
    ['an abort that no caller asked for', new DOMException('x', 'AbortError'), false],
  ])('answers %s, and is told whether the call was rejected', async (_what, error, rejected) => {
    const handler = jest.fn().mockReturnValue(1);
    await new Bench({ handler }).run(() => Promise.reject(error));
    expect(handler).toHaveBeenCalledWith(expect.objectContaining({ error, rejected }));
  });

  it.each([
    ['a 404', new HttpException('x', 404)],
    ['a programmer error', new TypeError('x')],
  ])('does not answer %s', async (_what, error) => {
    const bench = new Bench({ handler: fallbackValue(1) });
    await expect(bench.run(() => Promise.reject(error))).rejects.toBe(error);
    expect(bench.fallbackEvents).toEqual([]);
  });

  it('answers what on names, and not what skip names', async () => {
    const bench = new Bench({
      handler: fallbackValue(1),
      on: [HttpException],
      skip: [Rejection, RangeError],
    });
    await expect(bench.run(() => Promise.reject(new HttpException('x', 404)))).resolves.toBe(1);
    await expect(bench.run(() => Promise.reject(new RangeError('x')))).rejects.toThrow('x');
    await expect(bench.run(() => Promise.reject(new Rejection('X')))).rejects.toThrow('m');
  });

  it('does not answer a caller who has gone', async () => {
    const handler = jest.fn();
    const bench = new Bench({ handler });
    const call = bench.call(() => new Promise(() => {}));
    const done = bench.start(call);
    call.abort(new Error('gone'));
    await expect(done).rejects.toThrow('gone');
    expect(handler).not.toHaveBeenCalled();
  });

  it('knows how often the call was tried', async () => {
    const handler = jest.fn().mockReturnValue(1);
    const bench = new Bench({ handler });
    const call = bench.call(failing);
    call.attempt = 4;
    await bench.start(call);
    expect(handler).toHaveBeenCalledWith(expect.objectContaining({ attempts: 4 }));
  });

  describe('that fails itself', () => {
    it.each<[string, (error: Error) => () => unknown]>([
      [
        'by throwing',
        (error) => () => {
          throw error;
        },
      ],
      ['by rejecting', (error) => () => Promise.reject(error)],
    ])('%s has its error thrown, with the original as the cause', async (_how, handlerOf) => {
      const own = new Error('fallback');
      const bench = new Bench({ handler: handlerOf(own) });
      await expect(bench.run()).rejects.toBe(own);
      expect(own.cause).toBe(down);
      expect(Object.keys(own)).toEqual([]);
      expect(bench.fallbackEvents).toEqual([
        expect.objectContaining({ outcome: 'failure', error: down }),
      ]);
    });

    it('keeps a cause that its error already has', async () => {
      const own = new Error('fallback', { cause: 'mine' });
      await expect(new Bench({ handler: () => Promise.reject(own) }).run()).rejects.toBe(own);
      expect(own.cause).toBe('mine');
    });

    it('may throw the original, which does not become its own cause', async () => {
      const handler = ({ error }: FallbackContext): never => {
        throw error;
      };
      await expect(new Bench({ handler }).run()).rejects.toBe(down);
      expect(down.cause).toBeUndefined();
    });

    it('may throw what can have no cause', async () => {
      const frozen = Object.freeze(new Error('fallback'));
      await expect(new Bench({ handler: () => Promise.reject(frozen) }).run()).rejects.toBe(frozen);
      await expect(new Bench({ handler: () => Promise.reject('text') }).run()).rejects.toBe('text');
    });

    it('may throw an error of another realm', async () => {
      const foreign = runInNewContext(`new Error('foreign')`) as Error;
      await expect(new Bench({ handler: () => Promise.reject(foreign) }).run()).rejects.toBe(
        foreign,
      );
      expect(foreign.cause).toBe(down);
    });
  });

  describe('with a list of choices', () => {
    class StorageError extends Error {}
    class SlowStorageError extends StorageError {}
    const answerOf = (choices: object[], error: unknown): Promise<unknown> =>
      new Bench({ handler: choices as never }).run(() => Promise.reject(error));

    it('answers by the nearest error class, wherever it stands in the list', async () => {
      const choices = [
        { on: [Error], handler: fallbackValue('any error') },
        { on: [StorageError, RangeError], handler: fallbackValue('storage') },
        { on: [SlowStorageError], handler: fallbackValue('slow storage') },
        { handler: fallbackValue('anything') },
      ];
      for (const list of [choices, [...choices].reverse()]) {
        expect(await answerOf(list, new SlowStorageError())).toBe('slow storage');
        expect(await answerOf(list, new StorageError())).toBe('storage');
        expect(await answerOf(list, new RangeError())).toBe('storage');
        expect(await answerOf(list, new Error())).toBe('any error');
        expect(await answerOf(list, 'text')).toBe('anything');
      }
    });

    it('takes the first of those that are as near', async () => {
      const choices = [
        { on: [StorageError], handler: fallbackValue(1) },
        { on: [StorageError], handler: fallbackValue(2) },
        { handler: fallbackValue(3) },
        { handler: fallbackValue(4) },
      ];
      expect(await answerOf(choices, new StorageError())).toBe(1);
      expect(await answerOf(choices, new Error())).toBe(3);
    });

    it('takes a predicate for as near as can be', async () => {
      const choices = [
        { on: [Error], handler: fallbackValue('class') },
        {
          on: [(error: unknown) => error instanceof StorageError],
          handler: fallbackValue('predicate'),
        },
      ];
      expect(await answerOf(choices, new SlowStorageError())).toBe('predicate');
      expect(await answerOf(choices, down)).toBe('class');
    });

    it('leaves the error alone when none is for it', async () => {
      await expect(
        answerOf([{ on: [StorageError], handler: fallbackValue(1) }], down),
      ).rejects.toBe(down);
    });

    it('answers an error that would be ignored when a choice names it', async () => {
      const notFound = new HttpException('x', 404);
      expect(await answerOf([{ on: [HttpException], handler: fallbackValue(1) }], notFound)).toBe(
        1,
      );
    });

    it('takes a predicate that throws for one that does not match', async () => {
      const broken = (): boolean => {
        throw new Error('broken');
      };
      const choices = [{ on: [broken], handler: fallbackValue(1) }, { handler: fallbackValue(2) }];
      expect(await answerOf(choices, down)).toBe(2);
    });
  });

  describe('with staleIfError', () => {
    function stale(
      options: object = {},
      site: Partial<ProtectedMethod> = {},
    ): { bench: Bench; cache: Map<string, unknown>; keys: () => string[] } {
      const bench = new Bench({ handler: staleIfError({ ttl: '1m', ...options }) }, site);
      const cache = new Map<string, unknown>();
      bench.providers.set('CACHE_MANAGER', {
        get: async (key: string) => cache.get(key),
        set: async (key: string, entry: unknown) => void cache.set(key, entry),
      });
      return { bench, cache, keys: () => [...cache.keys()] };
    }

    it('answers with the last good result, and tells its age', async () => {
      const { bench } = stale();
      await bench.run(() => ['one']);
      await bench.run(() => ['two']);
      await bench.clock.advance(3_000);
      const call = bench.call(failing);
      await expect(bench.start(call)).resolves.toEqual(['two']);
      expect(call).toMatchObject({ source: 'stale', ageMs: 3_000 });
      expect(bench.fallbackEvents).toEqual([
        {
          type: 'fallback',
          name: 'Books.list',
          handler: 'staleIfError',
          outcome: 'success',
          error: down,
          stale: true,
          ageMs: 3_000,
        },
      ]);
    });

    it('leaves the original error when there is no result', async () => {
      const { bench } = stale();
      await expect(bench.run()).rejects.toBe(down);
      expect(bench.fallbackEvents).toEqual([expect.objectContaining({ outcome: 'failure' })]);
      expect(bench.fallbackEvents[0]).not.toHaveProperty('stale');
    });

    it('learns nothing from failures', async () => {
      const { bench, keys } = stale();
      await expect(bench.run()).rejects.toBe(down);
      expect(keys()).toEqual([]);
    });

    it('learns nothing from a result that a policy inside takes for a failure', async () => {
      const { bench, keys } = stale();
      const call = bench.call(() => 'try later');
      call.doubtful = true;
      await expect(bench.start(call)).resolves.toBe('try later');
      expect(keys()).toEqual([]);
    });

    it('waits for the cache for 250 ms by default', async () => {
      const { bench } = stale();
      bench.providers.set('CACHE_MANAGER', { get: () => new Promise(() => {}) });
      const ended = jest.fn();
      void bench.run().catch(() => ended(bench.clock.now()));
      await bench.clock.advance(1_000);
      expect(ended).toHaveBeenCalledWith(250);
    });

    it('keeps results apart by the arguments, a signal not counted', async () => {
      const { bench, keys } = stale();
      await bench.run(() => 'a', ['x', { page: 1 }]);
      await bench.run(() => 'b', ['x', { page: 2 }]);
      await bench.run(() => 'c', ['x', { page: 2 }, new AbortController().signal]);
      expect(keys()).toEqual([
        'nest-resilience:Books.list:["x",{"page":1}]',
        'nest-resilience:Books.list:["x",{"page":2}]',
      ]);
      await expect(bench.run(failing, ['x', { page: 1 }])).resolves.toBe('a');
    });

    it('keeps results apart by the key function', async () => {
      const { bench, keys } = stale({ key: (user: string) => user });
      await bench.run(() => 'for anna', ['anna', 1]);
      await expect(bench.run(failing, ['bert', 1])).rejects.toBe(down);
      await expect(bench.run(failing, ['anna', 2])).resolves.toBe('for anna');
      expect(keys()).toEqual(['nest-resilience:Books.list:anna']);
    });

    it.each<[string, object, unknown[]]>([
      [
        'a key function that throws',
        {
          key: () => {
            throw new Error('broken');
          },
        },
        [],
      ],
      ['a key that is no string', { key: () => undefined }, []],
      ['arguments that have no key', {}, [Symbol('s')]],
    ])('does not hide results or errors behind %s', async (_what, options, args) => {
      const { bench, keys } = stale(options);
      await expect(bench.run(() => 'books', args)).resolves.toBe('books');
      await expect(bench.run(failing, args)).rejects.toBe(down);
      expect(keys()).toEqual([]);
      expect(
        bench.told
          .filter(({ type }) => type === 'cache-error')
          .map((event) => (event as { operation: string }).operation),
      ).toEqual(['write', 'read']);
    });

    it('reports a cache that fails, and does not hide the original error', async () => {
      const { bench } = stale();
      const broken = async (): Promise<never> => {
        throw new Error('no redis');
      };
      bench.providers.set('CACHE_MANAGER', { get: broken, set: broken });
      await bench.run(() => 1);
      await expect(bench.run()).rejects.toBe(down);
      const error = expect.objectContaining({ message: 'no redis' });
      expect(bench.told.filter(({ type }) => type === 'cache-error')).toEqual([
        { type: 'cache-error', name: 'Books.list', operation: 'write', error },
        { type: 'cache-error', name: 'Books.list', operation: 'read', error },
      ]);
      expect(bench.warnings[0]).toContain(
        'Books.list: the cache behind staleIfError failed to write',
      );
    });

    it('waits for the cache no longer than its read timeout, then throws the original error', async () => {
      const { bench } = stale({ readTimeout: '100ms' });
      bench.providers.set('CACHE_MANAGER', {
        get: () => new Promise(() => {}),
        set: async () => {},
      });
      const ended = jest.fn();
      const done = bench.run().catch((error: unknown) => ended(error, bench.clock.now()));
      await bench.clock.advance(1_000);
      await done;
      expect(ended).toHaveBeenCalledWith(down, 100);
    });

    it('needs a cache', () => {
      expect(problemsOf({ handler: staleIfError({ ttl: '1m' }) })).toEqual([
        'here: staleIfError needs a cache; import CacheModule of @nestjs/cache-manager in a module of the application',
      ]);
    });

    it('needs a key function on a handler', () => {
      const { bench } = stale({}, { handler: true });
      bench.read();
      expect(bench.problems.all).toEqual([
        expect.stringContaining('staleIfError on a handler needs a key function'),
      ]);
      const keyed = stale({ key: () => '' }, { handler: true });
      keyed.bench.read();
      expect(keyed.bench.problems.all).toEqual([]);
    });

    it.each([
      [{ ttl: undefined }, 'ttl is undefined'],
      [{ ttl: 0 }, 'ttl is 0'],
      [{ readTimeout: 0 }, 'readTimeout is 0'],
      [{ writeTimeout: -1 }, 'writeTimeout is -1'],
      [{ key: 'x' }, `key is 'x'`],
      [{ tll: 1 }, 'tll is not an option'],
    ])('must not have %p', (options, problem) => {
      const { bench } = stale(options);
      bench.read();
      expect(bench.problems.all).toEqual([expect.stringContaining(`staleIfError.${problem}`)]);
    });
  });

  describe('is refused at bootstrap', () => {
    it.each<[string, object, string]>([
      ['without a handler', {}, 'handler is undefined'],
      ['with something else', { handler: 7 }, 'handler is 7'],
      ['with an object that is none', { handler: { kind: 'value' } }, 'handler is { kind:'],
      [
        'with a method that there is not',
        { handler: 'formr' },
        `handler is 'formr'; use the name of a method of Books`,
      ],
      [
        'with a member that is no method',
        { handler: 'calls' },
        `handler is 'calls'; use the name of a method of Books`,
      ],
      ...['constructor', 'toString', 'hasOwnProperty', '__proto__'].map(
        (name): [string, object, string] => [
          `with what every object has: ${name}`,
          { handler: name },
          `handler is '${name}'; use the name of a method of Books`,
        ],
      ),
      [
        'with the method itself',
        { handler: 'list' },
        `handler is 'list'; use another method than the one that it answers for`,
      ],
      [
        'with a class that is no provider',
        {
          handler: class Former {
            handle(): void {}
          },
        },
        'a class that a module of the application has as a singleton provider',
      ],
      ['with a class without handle()', { handler: class Former {} }, 'handler is function Former'],
      ['with an empty list', { handler: [] }, 'a list with at least one choice'],
      ['with a choice that is none', { handler: [null] }, 'handler[0] is null'],
      [
        'with a choice with a bad matcher',
        { handler: [{ on: Error, handler: fallbackValue(1) }] },
        'handler[0].on is function Error',
      ],
      [
        'with a choice with a misspelt option',
        { handler: [{ onn: [], handler: fallbackValue(1) }] },
        'handler[0].onn is not an option',
      ],
      ['with a choice without a handler', { handler: [{ on: [Error] }] }, 'handler is undefined'],
      ['with a misspelt option', { handler: fallbackValue(1), onn: [] }, 'onn is not an option'],
    ])('%s', (_what, options, problem) => {
      expect(problemsOf(options)).toEqual([expect.stringContaining(problem)]);
    });

    it('on a handler that sends its response itself', () => {
      expect(problemsOf({ handler: fallbackValue(1) }, { sendsResponse: true })).toEqual([
        expect.stringContaining('the handler sends its response itself'),
      ]);
    });
  });
});
