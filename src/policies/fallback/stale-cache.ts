import type { Clock } from '../../common/clock.js';
import { isPromiseLike, swallow } from '../../common/outcomes/look.js';
import type { Call } from '../../pipeline/call.js';

/** The part of a cache that is used here: `Cache` of cache-manager 5 to 7, times in milliseconds. */
export interface CacheLike {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, ttl: number): Promise<unknown>;
  /** In a cache without `del`, a value that is not an entry replaces the entry. */
  del?(key: string): Promise<unknown>;
}

/** A stale result and its age. */
export interface StaleResult {
  readonly value: unknown;
  readonly ageMs: number;
}

export interface StaleCacheSettings {
  readonly ttl: number;
  readonly readTimeout: number;
  readonly writeTimeout: number;
  /** Whether to keep a result that JSON can hold. */
  readonly accepts?: ((value: unknown) => boolean) | undefined;
  /** Makes a result from the parsed JSON. */
  readonly revive?: ((plain: unknown) => unknown) | undefined;
}

/** A cache entry: the result as JSON and the time at which it was stored, milliseconds since the epoch. */
interface Entry {
  readonly json: string;
  readonly storedAt: number;
}

/** In place of an entry: the newest result cannot be kept, and older ones are no longer valid. */
const NONE = undefined;

/** The entry that the cache should hold. */
interface Write {
  readonly entry: Entry | typeof NONE;
}

/** A read that has not ended. */
interface PendingRead {
  readonly startedAt: number;
  readonly done: Promise<Entry | undefined>;
}

/** A write that has not ended. */
interface PendingWrite extends Write {
  readonly startedAt: number;
  /** The entry to be written next. */
  next: Write | undefined;
}

/** Writes of one key that are no longer waited for, but may still reach the cache. */
interface LateWrites {
  count: number;
  newest: Write | undefined;
}

/** Maximum of pending reads over all keys, and of pending writes. */
const MAX_PENDING = 1_000;

/** While a read of a key is unanswered, a further one is made only after this many read timeouts. */
const PATIENCE = 20;

/**
 * The last good results, in a cache that may hang, fail or be empty. Nothing here throws, and nothing piles up: per key,
 * one read and one write are pending at a time.
 */
export class StaleCache {
  private readonly reads = new Map<string, PendingRead>();
  private readonly writes = new Map<string, PendingWrite>();
  private readonly late = new Map<string, LateWrites>();

  constructor(
    private readonly cache: () => CacheLike | undefined,
    private readonly settings: StaleCacheSettings,
    private readonly clock: Clock,
    private readonly onError: (operation: 'read' | 'write', error: unknown) => void,
  ) {}

  /**
   * Keeps a result; returns at once. While a write of the same key is pending, only the newest result waits. A result that
   * cannot be kept invalidates older ones, pending ones included.
   */
  store(key: string, value: unknown): void {
    const json = this.jsonOf(value);
    const entry = json === undefined ? NONE : { json, storedAt: this.clock.wall() };
    const pending = this.writes.get(key);
    const now = this.clock.now();
    if (pending !== undefined && now - pending.startedAt < this.settings.writeTimeout) {
      pending.next = { entry };
    } else {
      this.write(key, { entry }, now);
    }
  }

  private jsonOf(value: unknown): string | undefined {
    try {
      const json = JSON.stringify(value) as string | undefined; // `undefined` for a function or a stream
      return json === undefined || this.settings.accepts?.(value) === false ? undefined : json;
    } catch (error) {
      this.onError('write', error);
      return undefined;
    }
  }

  /** The last good result of that key, if the cache has one and returns it in time. */
  async find(key: string, call: Call): Promise<StaleResult | undefined> {
    const now = this.clock.now();
    const writing = this.writes.get(key);
    if (writing !== undefined && (writing.next ?? writing).entry === NONE) return undefined;
    let pending = this.reads.get(key);
    const { readTimeout } = this.settings;
    if (pending === undefined || now - pending.startedAt >= readTimeout * PATIENCE) {
      if (!hasRoom(this.reads, key, now - readTimeout * PATIENCE)) return undefined;
      pending = this.read(key, now);
    }
    // Calls that join a pending read wait only for the rest of its time.
    const left = pending.startedAt + readTimeout - now;
    const entry = left > 0 ? await this.within(left, pending.done, call) : undefined;
    if (entry === undefined) return undefined;
    const ageMs = Math.max(0, this.clock.wall() - entry.storedAt);
    try {
      return ageMs > this.settings.ttl ? undefined : { value: this.revive(entry.json), ageMs };
    } catch (error) {
      this.onError('read', error);
      return undefined;
    }
  }

  private revive(json: string): unknown {
    const plain: unknown = JSON.parse(json);
    const { revive } = this.settings;
    if (revive === undefined) return plain;
    const value = revive(plain);
    if (!isPromiseLike(value)) return value;
    swallow(value);
    throw new TypeError('revive returned a promise; it must be synchronous');
  }

  private write(key: string, newest: Write, now: number): void {
    const limit = now - this.settings.writeTimeout;
    if (!hasRoom(this.writes, key, limit, (oldest) => this.giveUp(oldest))) return;
    const pending: PendingWrite = { entry: newest.entry, startedAt: now, next: undefined };
    if (this.writes.has(key)) this.giveUp(key);
    const late = this.late.get(key);
    if (late !== undefined) late.newest = newest;
    this.writes.set(key, pending);
    void this.send(key, newest).then(() => {
      if (this.writes.get(key) !== pending) return this.cameLate(key);
      this.writes.delete(key);
      if (pending.next !== undefined) this.write(key, pending.next, this.clock.now());
    });
  }

  /** Stops waiting for the pending write of that key. */
  private giveUp(key: string): void {
    const late = this.late.get(key);
    if (late !== undefined) late.count += 1;
    else if (this.late.size < MAX_PENDING) this.late.set(key, { count: 1, newest: undefined });
  }

  /** A write that was no longer waited for has ended, perhaps over a newer one, which has to be written again. */
  private cameLate(key: string): void {
    const late = this.late.get(key);
    if (late === undefined) return;
    late.count -= 1;
    if (late.count === 0) this.late.delete(key);
    // A pending write will overwrite it anyway.
    if (this.writes.has(key) || late.newest === undefined) return;
    this.write(key, late.newest, this.clock.now());
  }

  private async send(key: string, { entry }: Write): Promise<void> {
    try {
      const cache = this.cache();
      if (entry !== NONE) await cache?.set(key, entry, this.settings.ttl);
      else if (cache?.del !== undefined) await cache.del(key);
      else await cache?.set(key, 'none', this.settings.ttl);
    } catch (error) {
      this.onError('write', error);
    }
  }

  private read(key: string, now: number): PendingRead {
    const done = this.fetch(key);
    const pending = { startedAt: now, done };
    this.reads.set(key, pending);
    void done.then(() => {
      if (this.reads.get(key) === pending) this.reads.delete(key);
    });
    return pending;
  }

  private async fetch(key: string): Promise<Entry | undefined> {
    try {
      const entry: unknown = await this.cache()?.get(key);
      return isEntry(entry) ? entry : undefined;
    } catch (error) {
      this.onError('read', error);
      return undefined;
    }
  }

  private within<T>(ms: number, work: Promise<T>, call: Call): Promise<T | undefined> {
    return new Promise((resolve) => {
      const timer = this.clock.setTimer(() => {
        this.onError(
          'read',
          new Error(`the cache did not answer within ${this.settings.readTimeout} ms`),
        );
        finish(undefined);
      }, ms);
      const finish = (result: T | undefined): void => {
        timer.cancel();
        call.stoppable = undefined;
        resolve(result);
      };
      call.stopWith({ stop: () => finish(undefined) });
      void work.then(finish);
    });
  }
}

/** Whether one more may begin. If there are too many, stops waiting for the oldest, provided that it began before `limit`. */
function hasRoom(
  pending: Map<string, { readonly startedAt: number }>,
  key: string,
  limit: number,
  onGivenUp: (oldest: string) => void = () => {},
): boolean {
  if (pending.size < MAX_PENDING || pending.has(key)) return true;
  for (const [oldest, { startedAt }] of pending) {
    if (startedAt > limit) return false;
    pending.delete(oldest);
    onGivenUp(oldest);
    return true;
  }
  return true;
}

function isEntry(value: unknown): value is Entry {
  const { json, storedAt } = (value ?? {}) as Partial<Entry>;
  return typeof json === 'string' && typeof storedAt === 'number';
}
