import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import { type CacheLike, StaleCache, type StaleCacheSettings } from './stale-cache.js';

/** A cache whose writes come through when the test says so, in any order. */
class SlowCache implements CacheLike {
  readonly entries = new Map<string, unknown>();
  readonly writes: (() => void)[] = [];

  async get(key: string): Promise<unknown> {
    return this.entries.get(key);
  }

  set(key: string, value: unknown): Promise<unknown> {
    return this.later(() => this.entries.set(key, value));
  }

  del(key: string): Promise<unknown> {
    return this.later(() => this.entries.delete(key));
  }

  private later(write: () => unknown): Promise<unknown> {
    return new Promise((resolve) => this.writes.push(() => resolve(write())));
  }
}

class Harness {
  readonly clock = new ManualClock();
  readonly cache = new SlowCache();
  readonly errors: unknown[] = [];
  readonly stale: StaleCache;

  constructor(settings: Partial<StaleCacheSettings> = {}, cache?: CacheLike) {
    this.stale = new StaleCache(
      () => cache ?? this.cache,
      { ttl: 600_000, readTimeout: 250, writeTimeout: 1_000, ...settings },
      this.clock,
      (_operation, error) => this.errors.push(error),
    );
  }

  async find(): Promise<unknown> {
    let found: unknown = 'waiting';
    void this.stale.find('k', new TestCall(undefined, { clock: this.clock })).then((result) => {
      found = result?.value;
    });
    await this.clock.advance(0);
    return found;
  }

  async end(write: number): Promise<void> {
    this.cache.writes[write]!();
    await this.clock.advance(0);
  }

  async stored(value: unknown): Promise<void> {
    this.stale.store('k', value);
    await this.end(this.cache.writes.length - 1);
  }
}

describe('a newest result that cannot be kept', () => {
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a bigint', { id: 1n }],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['an object that JSON leaves out', { toJSON: () => undefined }],
  ])('puts the older one out of force: %s', async (_what, value) => {
    const harness = new Harness();
    await harness.stored('old');
    await expect(harness.find()).resolves.toBe('old');
    await harness.stored(value);
    await expect(harness.find()).resolves.toBeUndefined();
    expect(harness.cache.entries.size).toBe(0);
  });

  it('does so at once, while the cache has not heard of it', async () => {
    const harness = new Harness();
    await harness.stored('old');
    harness.stale.store('k', undefined);
    await expect(harness.find()).resolves.toBeUndefined();
  });

  it('puts out of force one that is still on its way', async () => {
    const harness = new Harness();
    harness.stale.store('k', 'old');
    harness.stale.store('k', undefined);
    await expect(harness.find()).resolves.toBeUndefined();
    await harness.end(0);
    await expect(harness.find()).resolves.toBeUndefined();
    await harness.end(1);
    await expect(harness.find()).resolves.toBeUndefined();
  });

  it('is followed by the next one that can be kept', async () => {
    const harness = new Harness();
    await harness.stored(undefined);
    await harness.stored('new');
    await expect(harness.find()).resolves.toBe('new');
  });

  it('does the same in a cache that cannot delete', async () => {
    const entries = new Map<string, unknown>([['k', { json: '"old"', storedAt: 0 }]]);
    const cache: CacheLike = {
      get: async (key) => entries.get(key),
      set: async (key, value) => entries.set(key, value),
    };
    const harness = new Harness({ ttl: Infinity }, cache);
    await expect(harness.find()).resolves.toBe('old');
    harness.stale.store('k', undefined);
    await harness.clock.advance(0);
    await expect(harness.find()).resolves.toBeUndefined();
  });
});

describe('a write that was given up and comes through after all', () => {
  it.each<[string, unknown, unknown]>([
    ['a newer result', 'new', 'new'],
    ['a newer one that cannot be kept', undefined, undefined],
  ])('does not stay in place of %s', async (_what, newer, expected) => {
    const harness = new Harness();
    harness.stale.store('k', 'old');
    await harness.clock.advance(1_000);
    await harness.stored(newer);
    await harness.end(0);
    expect(harness.cache.writes).toHaveLength(3);
    await harness.end(2);
    await expect(harness.find()).resolves.toBe(expected);
  });

  it('has the newest written again once for each that comes late, and no more', async () => {
    const harness = new Harness();
    harness.stale.store('k', 'first');
    await harness.clock.advance(1_000);
    harness.stale.store('k', 'second');
    await harness.clock.advance(1_000);
    await harness.stored('third');
    expect(harness.cache.writes).toHaveLength(3);
    await harness.end(0);
    expect(harness.cache.writes).toHaveLength(4);
    await harness.end(3);
    await harness.end(1);
    expect(harness.cache.writes).toHaveLength(5);
    await harness.end(4);
    await expect(harness.find()).resolves.toBe('third');
    await harness.stored('fourth');
    expect(harness.cache.writes).toHaveLength(6);
    await expect(harness.find()).resolves.toBe('fourth');
  });

  it('is remembered no longer than until then, however many come and whatever is written in time', async () => {
    const harness = new Harness();
    const late = async (key: string): Promise<void> => {
      const { writes } = harness.cache;
      const first = writes.length;
      for (const value of ['first', 'second', 'third']) {
        harness.stale.store(key, value);
        await harness.clock.advance(1_000);
      }
      await harness.end(first + 2);
      for (const before of [first, first + 1]) {
        await harness.end(before);
        await harness.end(writes.length - 1);
      }
      expect(writes).toHaveLength(first + 5);
    };
    for (let i = 0; i < 1_000; i++) await harness.stored(i);
    for (let i = 0; i < 1_001; i++) await late(`key ${i}`);
  }, 30_000);

  it('changes nothing when another write is on its way, which comes after it', async () => {
    const harness = new Harness();
    harness.stale.store('k', 'first');
    await harness.clock.advance(1_000);
    harness.stale.store('k', 'second');
    await harness.end(0);
    expect(harness.cache.writes).toHaveLength(2);
    await harness.end(1);
    await expect(harness.find()).resolves.toBe('second');
  });

  it('of a key that nobody has written to since has nothing to make good', async () => {
    const harness = new Harness();
    harness.stale.store('k', 'only');
    await harness.clock.advance(1_000);
    for (let i = 0; i < 1_000; i++) harness.stale.store(`other ${i}`, i);
    expect(harness.cache.writes).toHaveLength(1_001);
    await harness.end(1); // makes room
    await harness.end(0);
    expect(harness.cache.writes).toHaveLength(1_001);
    await expect(harness.find()).resolves.toBe('only');
  });

  it('leaves a newer one in peace that came after the oldest of all had made room', async () => {
    const harness = new Harness();
    harness.stale.store('k', 'old');
    await harness.clock.advance(1_000);
    for (let i = 0; i < 1_000; i++) harness.stale.store(`other ${i}`, i);
    await harness.end(1); // makes room
    harness.stale.store('k', 'new');
    expect(harness.cache.writes).toHaveLength(1_002);
    await harness.end(1_001);
    await harness.end(0);
    expect(harness.cache.writes).toHaveLength(1_003);
    await harness.end(1_002);
    await expect(harness.find()).resolves.toBe('new');
  });

  it('does not bring back one that is older than the newest', async () => {
    const harness = new Harness();
    harness.stale.store('k', 'first');
    await harness.clock.advance(1_000);
    await harness.stored('second');
    await harness.stored('third');
    await harness.end(0);
    await harness.end(3);
    await expect(harness.find()).resolves.toBe('third');
  });
});

describe('revive', () => {
  it('makes of what was kept what comes back', async () => {
    const harness = new Harness({ revive: (plain) => new Date(plain as string) });
    await harness.stored(new Date(1_000));
    await expect(harness.find()).resolves.toEqual(new Date(1_000));
  });

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('not a book');
      },
      'not a book',
    ],
    ['gives a promise', () => Promise.resolve(1), 'revive gave a promise'],
  ])('gives nothing when it %s, and it is told', async (_what, revive, message) => {
    const harness = new Harness({ revive });
    await harness.stored(1);
    await expect(harness.find()).resolves.toBeUndefined();
    expect(harness.errors).toEqual([
      expect.objectContaining({ message: expect.stringContaining(message) }),
    ]);
  });
});
