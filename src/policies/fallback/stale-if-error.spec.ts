import type { ProtectedMethod } from '../policy.js';
import { Harness, down, failing, problemsOf } from '../../../test/support/fallback-stage.js';
import { staleIfError } from './stale-if-error.js';

describe('a fallback', () => {
  describe('with staleIfError', () => {
    function stale(
      options: object = {},
      site: Partial<ProtectedMethod> = {},
    ): { harness: Harness; cache: Map<string, unknown>; keys: () => string[] } {
      const harness = new Harness({ handler: staleIfError({ ttl: '1m', ...options }) }, site);
      const cache = new Map<string, unknown>();
      harness.providers.set('CACHE_MANAGER', {
        get: async (key: string) => cache.get(key),
        set: async (key: string, entry: unknown) => void cache.set(key, entry),
      });
      return { harness, cache, keys: () => [...cache.keys()] };
    }

    it('answers with the last good result, and reports its age', async () => {
      const { harness } = stale();
      await harness.run(() => ['one']);
      await harness.run(() => ['two']);
      await harness.clock.advance(3_000);
      const call = harness.call(failing);
      await expect(harness.start(call)).resolves.toEqual(['two']);
      expect(call).toMatchObject({ source: 'stale', ageMs: 3_000 });
      expect(harness.fallbackEvents).toEqual([
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

    it('leaves the original error without a result', async () => {
      const { harness } = stale();
      await expect(harness.run()).rejects.toBe(down);
      expect(harness.fallbackEvents).toEqual([expect.objectContaining({ outcome: 'failure' })]);
      expect(harness.fallbackEvents[0]).not.toHaveProperty('stale');
    });

    it('does not store failures', async () => {
      const { harness, keys } = stale();
      await expect(harness.run()).rejects.toBe(down);
      expect(keys()).toEqual([]);
    });

    it('does not store a result that an inner policy takes for a failure', async () => {
      const { harness, keys } = stale();
      const call = harness.call(() => 'try later');
      call.resultRejected = true;
      await expect(harness.start(call)).resolves.toBe('try later');
      expect(keys()).toEqual([]);
    });

    it('waits 250 ms for the cache by default', async () => {
      const { harness } = stale();
      harness.providers.set('CACHE_MANAGER', { get: () => new Promise(() => {}) });
      const ended = jest.fn();
      void harness.run().catch(() => ended(harness.clock.now()));
      await harness.clock.advance(1_000);
      expect(ended).toHaveBeenCalledWith(250);
    });

    it('distinguishes results by the arguments, except signals', async () => {
      const { harness, keys } = stale();
      await harness.run(() => 'a', ['x', { page: 1 }]);
      await harness.run(() => 'b', ['x', { page: 2 }]);
      await harness.run(() => 'c', ['x', { page: 2 }, new AbortController().signal]);
      expect(keys()).toEqual([
        'nest-resilience:Books.list:["x",{"page":1}]',
        'nest-resilience:Books.list:["x",{"page":2}]',
      ]);
      await expect(harness.run(failing, ['x', { page: 1 }])).resolves.toBe('a');
    });

    it('distinguishes results by the key function', async () => {
      const { harness, keys } = stale({ key: (user: string) => user });
      await harness.run(() => 'for anna', ['anna', 1]);
      await expect(harness.run(failing, ['bert', 1])).rejects.toBe(down);
      await expect(harness.run(failing, ['anna', 2])).resolves.toBe('for anna');
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
      ['an invalid key', { key: () => undefined }, []],
      ['arguments without a key', {}, [Symbol('s')]],
    ])('does not hide results or errors behind %s', async (_what, options, args) => {
      const { harness, keys } = stale(options);
      await expect(harness.run(() => 'books', args)).resolves.toBe('books');
      await expect(harness.run(failing, args)).rejects.toBe(down);
      expect(keys()).toEqual([]);
      expect(
        harness.emitted
          .filter(({ type }) => type === 'cache-error')
          .map((event) => (event as { operation: string }).operation),
      ).toEqual(['write', 'read']);
    });

    it('reports a cache that fails, and does not hide the original error', async () => {
      const { harness } = stale();
      const broken = async (): Promise<never> => {
        throw new Error('no redis');
      };
      harness.providers.set('CACHE_MANAGER', { get: broken, set: broken });
      await harness.run(() => 1);
      await expect(harness.run()).rejects.toBe(down);
      const error = expect.objectContaining({ message: 'no redis' });
      expect(harness.emitted.filter(({ type }) => type === 'cache-error')).toEqual([
        { type: 'cache-error', name: 'Books.list', operation: 'write', error },
        { type: 'cache-error', name: 'Books.list', operation: 'read', error },
      ]);
      expect(harness.warnings[0]).toContain(
        'Books.list: the cache behind staleIfError failed to write',
      );
    });

    it('waits for the cache at most for the read timeout, then throws the original error', async () => {
      const { harness } = stale({ readTimeout: '100ms' });
      harness.providers.set('CACHE_MANAGER', {
        get: () => new Promise(() => {}),
        set: async () => {},
      });
      const ended = jest.fn();
      const done = harness.run().catch((error: unknown) => ended(error, harness.clock.now()));
      await harness.clock.advance(1_000);
      await done;
      expect(ended).toHaveBeenCalledWith(down, 100);
    });

    it('needs a cache', () => {
      expect(problemsOf({ handler: staleIfError({ ttl: '1m' }) })).toEqual([
        'staleIfError needs a cache; import CacheModule of @nestjs/cache-manager in a module of the application',
      ]);
    });

    it('needs a key function on a handler', () => {
      const { harness } = stale({}, { handler: true });
      harness.read();
      expect(harness.problems).toEqual([
        expect.stringContaining('staleIfError on a handler needs a key function'),
      ]);
      const keyed = stale({ key: () => '' }, { handler: true });
      keyed.harness.read();
      expect(keyed.harness.problems).toEqual([]);
    });

    it.each([
      [{ ttl: undefined }, 'ttl is undefined'],
      [{ ttl: 0 }, 'ttl is 0'],
      [{ readTimeout: 0 }, 'readTimeout is 0'],
      [{ writeTimeout: -1 }, 'writeTimeout is -1'],
      [{ key: 'x' }, `key is 'x'`],
      [{ tll: 1 }, 'tll is not an option'],
    ])('must not have %p', (options, problem) => {
      const { harness } = stale(options);
      harness.read();
      expect(harness.problems).toEqual([expect.stringContaining(`staleIfError.${problem}`)]);
    });
  });
});
