import type { Call } from '../../pipeline/call.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import { StaleCache, type StaleResult } from './stale-cache.js';

/** A cache whose operations end when and how the test decides. */
class SlowCache {
  readonly entries = new Map<string, unknown>();
  readonly operations: {
    what: string;
    key: string;
    value?: unknown;
    ttl?: number;
    end: () => void;
    fail: (error: unknown) => void;
  }[] = [];

  get(key: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = (): void => resolve(this.entries.get(key));
      this.operations.push({ what: 'get', key, end, fail: reject });
    });
  }

  set(key: string, value: unknown, ttl: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.entries.set(key, value);
        resolve(value);
      };
      this.operations.push({ what: 'set', key, value, ttl, end, fail: reject });
    });
  }

  del(key: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = (): void => resolve(this.entries.delete(key));
      this.operations.push({ what: 'del', key, end, fail: reject });
    });
  }
}

function setUp(): {
  clock: ManualClock;
  cache: SlowCache;
  stale: StaleCache;
  errors: [string, string][];
  call: TestCall;
  find: (key?: string, call?: Call) => { value: StaleResult | undefined | 'waiting' };
  turn: () => Promise<void>;
} {
  const clock = new ManualClock();
  const cache = new SlowCache();
  const errors: [string, string][] = [];
  const stale = new StaleCache(
    () => cache,
    { ttl: 60_000, readTimeout: 250, writeTimeout: 1_000 },
    clock,
    (operation, error) => errors.push([operation, (error as Error).message]),
  );
  const call = new TestCall(undefined, { clock });
  return {
    clock,
    cache,
    stale,
    errors,
    call,
    find(key = 'k', own = new TestCall(undefined, { clock })) {
      const found: { value: StaleResult | undefined | 'waiting' } = { value: 'waiting' };
      void stale.find(key, own).then((value) => (found.value = value));
      return found;
    },
    turn: () => clock.advance(0),
  };
}

const whatOf = (cache: SlowCache): string[] =>
  cache.operations.map(({ what, key }) => `${what} ${key}`);

describe('a cache of stale results', () => {
  it('returns a stored result and its age', async () => {
    const { stale, cache, clock, find, turn } = setUp();
    stale.store('k', [{ id: 1 }]);
    cache.operations[0]!.end();
    await clock.advance(5_000);
    const found = find();
    await turn();
    cache.operations[1]!.end();
    await turn();
    expect(found.value).toEqual({ value: [{ id: 1 }], ageMs: 5_000 });
    expect(whatOf(cache)).toEqual(['set k', 'get k']);
    expect(cache.operations[0]!.ttl).toBe(60_000);
    expect(clock.pending).toBe(0);
  });

  it('keeps results as JSON: a copy at that time', async () => {
    const { stale, cache, find, turn } = setUp();
    const books = { at: new Date(0), titles: ['one'], none: undefined };
    stale.store('k', books);
    books.titles.push('two');
    cache.operations[0]!.end();
    const [first, second] = [find(), find()];
    cache.operations[1]!.end();
    await turn();
    const value = { at: '1970-01-01T00:00:00.000Z', titles: ['one'] };
    expect(first.value).toEqual({ value, ageMs: 0 });
    expect((first.value as StaleResult).value).not.toBe((second.value as StaleResult).value);
  });

  it('keeps a result of null, which differs from none', async () => {
    const { stale, cache, find, turn } = setUp();
    stale.store('k', null);
    cache.operations[0]!.end();
    const found = find();
    cache.operations[1]!.end();
    await turn();
    expect(found.value).toEqual({ value: null, ageMs: 0 });
  });

  it.each([
    ['undefined', undefined],
    ['a function', () => {}],
  ])('drops older results for one that JSON cannot express: %s', (_what, value) => {
    const { stale, cache, errors } = setUp();
    stale.store('k', value);
    expect(whatOf(cache)).toEqual(['del k']);
    expect(errors).toEqual([]);
  });

  it('reports a result that JSON cannot hold, and goes on', () => {
    const { stale, cache, errors } = setUp();
    stale.store('k', 1n);
    expect(whatOf(cache)).toEqual(['del k']);
    expect(errors).toEqual([['write', expect.stringContaining('BigInt')]]);
  });

  it('returns nothing if nothing is stored', async () => {
    const { cache, find, turn, errors } = setUp();
    const found = find();
    cache.operations[0]!.end();
    await turn();
    expect(found.value).toBeUndefined();
    expect(errors).toEqual([]);
  });

  it.each([
    ['something else', 'x'],
    ['an entry without a time', { json: '1' }],
    ['an entry without a result', { storedAt: 1 }],
    ['null', null],
  ])('returns nothing when the cache holds %s under the key', async (_what, entry) => {
    const { cache, find, turn } = setUp();
    cache.entries.set('k', entry);
    const found = find();
    cache.operations[0]!.end();
    await turn();
    expect(found.value).toBeUndefined();
  });

  it('reports broken JSON, and returns nothing', async () => {
    const { cache, find, turn, errors, clock } = setUp();
    cache.entries.set('k', { json: '{', storedAt: clock.wall() });
    const found = find();
    cache.operations[0]!.end();
    await turn();
    expect(found.value).toBeUndefined();
    expect(errors).toEqual([['read', expect.stringContaining('JSON')]]);
  });

  it.each([
    [60_000, true],
    [60_001, false],
  ])(
    'returns a result that is %p ms old: %p (the ttl is 60 s, whatever the cache does)',
    async (age, given) => {
      const { stale, cache, clock, find, turn } = setUp();
      stale.store('k', 1);
      cache.operations[0]!.end();
      await clock.advance(age);
      const found = find();
      cache.operations[1]!.end();
      await turn();
      expect(found.value).toEqual(given ? { value: 1, ageMs: age } : undefined);
    },
  );

  it('takes a result from the future for new', async () => {
    const { cache, find, turn, clock } = setUp();
    cache.entries.set('k', { json: '1', storedAt: clock.wall() + 5_000 });
    const found = find();
    cache.operations[0]!.end();
    await turn();
    expect(found.value).toEqual({ value: 1, ageMs: 0 });
  });

  describe('that hangs', () => {
    it('delays a call by at most the read timeout', async () => {
      const { clock, find, errors } = setUp();
      const found = find();
      await clock.advance(249);
      expect(found.value).toBe('waiting');
      await clock.advance(1);
      expect(found.value).toBeUndefined();
      expect(errors).toEqual([['read', 'the cache did not answer within 250 ms']]);
      expect(clock.pending).toBe(0);
    });

    it('is read once per key, however many calls wait; later calls wait only for the rest of the time', async () => {
      const { clock, cache, find } = setUp();
      const first = find();
      await clock.advance(200);
      const second = find();
      expect(whatOf(cache)).toEqual(['get k']);
      await clock.advance(50);
      expect([first.value, second.value]).toEqual([undefined, undefined]);
    });

    it('delays no call after a read that took too long, until it is read again', async () => {
      const { clock, cache, find, turn, errors } = setUp();
      find();
      await clock.advance(250);
      const second = find();
      await turn();
      expect(second.value).toBeUndefined();
      expect(errors).toHaveLength(1);
      await clock.advance(20 * 250 - 251);
      find();
      expect(cache.operations).toHaveLength(1);
      await clock.advance(1);
      const asked = find();
      expect(cache.operations).toHaveLength(2);
      cache.operations[1]!.end();
      await turn();
      expect(asked.value).toBeUndefined();
    });

    it('is read again at once after its late answer', async () => {
      const { clock, cache, find, turn } = setUp();
      find();
      await clock.advance(300);
      cache.operations[0]!.end();
      await turn();
      find();
      expect(cache.operations).toHaveLength(2);
    });

    it('does not confuse a pending read with the late answer of an abandoned one', async () => {
      const { clock, cache, find, turn } = setUp();
      find();
      await clock.advance(6_000);
      find();
      cache.operations[0]!.end();
      await turn();
      find();
      expect(cache.operations).toHaveLength(2);
    });

    it('is still read for other keys', async () => {
      const { cache, find } = setUp();
      find('a');
      find('b');
      expect(whatOf(cache)).toEqual(['get a', 'get b']);
    });

    it('keeps no caller that has gone, and none of its timers', async () => {
      const { clock, call, find, turn } = setUp();
      const found = find('k', call);
      call.abort(new Error('gone'));
      await turn();
      expect(found.value).toBeUndefined();
      expect(clock.pending).toBe(0);
      expect(call.stoppable).toBeUndefined();
    });

    it('gets one write per key at a time; only the newest result waits', async () => {
      const { cache, stale, turn } = setUp();
      for (let i = 0; i < 100; i++) stale.store('k', i);
      stale.store('other', 0);
      expect(whatOf(cache)).toEqual(['set k', 'set other']);
      cache.operations[0]!.end();
      await turn();
      expect(whatOf(cache)).toEqual(['set k', 'set other', 'set k']);
      cache.operations[2]!.end();
      await turn();
      expect(cache.operations).toHaveLength(3);
      expect(cache.entries.get('k')).toMatchObject({ json: '99' });
    });

    it('gets one write per key at a time, at any time of the clock', async () => {
      const { clock, cache, stale } = setUp();
      await clock.advance(100_000);
      stale.store('k', 'a');
      await clock.advance(500);
      stale.store('k', 'b');
      expect(cache.operations).toHaveLength(1);
    });

    it('gets no read of a new key at the limit, unless the oldest read has taken too long', async () => {
      const { clock, cache, find } = setUp();
      for (let i = 0; i < 1_000; i++) find(`k${i}`);
      await clock.advance(4_999);
      find('new');
      expect(cache.operations).toHaveLength(1_000);
      await clock.advance(1);
      find('new');
      expect(cache.operations).toHaveLength(1_001);
    });

    it('gets another write of a key when one has taken too long', async () => {
      const { cache, stale, clock, turn } = setUp();
      stale.store('k', 1);
      await clock.advance(999);
      stale.store('k', 2);
      expect(cache.operations).toHaveLength(1);
      await clock.advance(1);
      stale.store('k', 3);
      expect(cache.operations).toHaveLength(2);
      cache.operations[0]!.end();
      await turn();
      expect(cache.operations).toHaveLength(2); // the old write's end has no effect
      cache.operations[1]!.end();
      await turn();
      expect(cache.entries.get('k')).toMatchObject({ json: '3' });
      expect(cache.operations).toHaveLength(2);
    });

    it('gets at most 1000 writes at a time, over all keys', async () => {
      const { cache, stale, turn } = setUp();
      for (let i = 0; i < 1_500; i++) stale.store(`${i}`, i);
      expect(cache.operations).toHaveLength(1_000);
      cache.operations[0]!.end();
      await turn();
      stale.store('new', 1);
      expect(cache.operations).toHaveLength(1_001);
    });

    it('gets at most 1000 reads at a time, over all keys; further calls have no stale result', async () => {
      const { cache, clock, find, turn } = setUp();
      const found = Array.from({ length: 1_500 }, (_, i) => find(`${i}`));
      await turn();
      expect(cache.operations).toHaveLength(1_000);
      expect(found.filter(({ value }) => value === 'waiting')).toHaveLength(1_000);
      await clock.advance(20 * 250 + 1);
      find('new');
      expect(whatOf(cache).slice(1_000)).toEqual(['get new']);
    });

    it('gets the write of a new key at the limit when the oldest write has taken too long', async () => {
      const { cache, stale, clock } = setUp();
      for (let i = 0; i < 1_000; i++) stale.store(`${i}`, i);
      await clock.advance(1_001);
      stale.store('new', 1);
      expect(whatOf(cache).slice(1_000)).toEqual(['set new']);
    });

    it('gets another write of a known key even at the limit', async () => {
      const { cache, stale, clock } = setUp();
      for (let i = 0; i < 1_000; i++) stale.store(`${i}`, i);
      await clock.advance(1_000);
      stale.store('7', 'newer');
      expect(cache.operations).toHaveLength(1_001);
    });
  });

  describe('that fails', () => {
    it('on reading returns nothing, and is reported', async () => {
      const { cache, find, turn, errors, clock } = setUp();
      const found = find();
      cache.operations[0]!.fail(new Error('no redis'));
      await turn();
      expect(found.value).toBeUndefined();
      expect(errors).toEqual([['read', 'no redis']]);
      expect(clock.pending).toBe(0);
    });

    it('on writing is reported, and gets later writes', async () => {
      const { cache, stale, turn, errors } = setUp();
      stale.store('k', 1);
      cache.operations[0]!.fail(new Error('no redis'));
      await turn();
      expect(errors).toEqual([['write', 'no redis']]);
      stale.store('k', 2);
      expect(cache.operations).toHaveLength(2);
    });

    it('by throwing is treated the same', async () => {
      const errors: string[] = [];
      const clock = new ManualClock();
      const broken = (): never => {
        throw new Error('broken');
      };
      const stale = new StaleCache(
        () => ({ get: broken, set: broken }),
        { ttl: 1, readTimeout: 1, writeTimeout: 1 },
        clock,
        (operation) => errors.push(operation),
      );
      stale.store('k', 1);
      await expect(stale.find('k', new TestCall(undefined, { clock }))).resolves.toBeUndefined();
      expect(errors).toEqual(['write', 'read']);
    });

    it('to exist returns nothing', async () => {
      const clock = new ManualClock();
      const onError = jest.fn();
      const stale = new StaleCache(
        () => undefined,
        { ttl: 1, readTimeout: 1, writeTimeout: 1 },
        clock,
        onError,
      );
      stale.store('k', 1);
      await expect(stale.find('k', new TestCall(undefined, { clock }))).resolves.toBeUndefined();
      expect(onError).not.toHaveBeenCalled();
    });
  });
});
