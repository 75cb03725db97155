import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import { type CacheLike, StaleCache, type StaleCacheSettings } from './stale-cache.js';

/** A cache whose writes arrive when the test decides, in any order. */
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
  ])('invalidates the older one: %s', async (_what, value) => {
    const harness = new Harness();
    await harness.stored('old');
    await expect(harness.find()).resolves.toBe('old');
    await harness.stored(value);
    await expect(harness.find()).resolves.toBeUndefined();
    expect(harness.cache.entries.size).toBe(0);
  });

  it('invalidates the older one at once, before the cache has done so', async () => {
    const harness = new Harness();
    await harness.stored('old');
    harness.stale.store('k', undefined);
    await expect(harness.find()).resolves.toBeUndefined();
  });

  it('invalidates a result that is still being written', async () => {
    const harness = new Harness();
    harness.stale.store('k', 'old');
    harness.stale.store('k', undefined);
    await expect(harness.find()).resolves.toBeUndefined();
    await harness.end(0);
    await expect(harness.find()).resolves.toBeUndefined();
    await harness.end(1);
    await expect(harness.find()).resolves.toBeUndefined();
  });

  it('is replaced by the next one that can be kept', async () => {
    const harness = new Harness();
    await harness.stored(undefined);
    await harness.stored('new');
    await expect(harness.find()).resolves.toBe('new');
  });

  it('invalidates older ones in a cache that cannot delete', async () => {
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

describe('an abandoned write that arrives after all', () => {
  it.each<[string, unknown, unknown]>([
    ['a newer result', 'new', 'new'],
    ['a newer one that cannot be kept', undefined, undefined],
  ])('does not replace %s', async (_what, newer, expected) => {
    const harness = new Harness();
    harness.stale.store('k', 'old');
    await harness.clock.advance(1_000);
    await harness.stored(newer);
    await harness.end(0);
    expect(harness.cache.writes).toHaveLength(3);
    await harness.end(2);
    await expect(harness.find()).resolves.toBe(expected);
  });

  it('causes one further write of the newest result', async () => {
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

  it('is remembered until it arrives, and no longer', async () => {
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

  it('has no effect while another write is pending, which arrives later', async () => {
    const harness = new Harness();
    harness.stale.store('k', 'first');
    await harness.clock.advance(1_000);
    harness.stale.store('k', 'second');
    await harness.end(0);
    expect(harness.cache.writes).toHaveLength(2);
    await harness.end(1);
    await expect(harness.find()).resolves.toBe('second');
  });

  it('causes no further write without a newer result', async () => {
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

  it('does not affect a newer write that got the room of the oldest one', async () => {
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

  it('does not restore a result older than the newest', async () => {
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
  it('converts kept results', async () => {
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
    ['gives a promise', () => Promise.resolve(1), 'revive returned a promise'],
  ])('gives no answer when it %s, and this is reported', async (_what, revive, message) => {
    const harness = new Harness({ revive });
    await harness.stored(1);
    await expect(harness.find()).resolves.toBeUndefined();
    expect(harness.errors).toEqual([
      expect.objectContaining({ message: expect.stringContaining(message) }),
    ]);
  });
});
