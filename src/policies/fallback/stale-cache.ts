import type { Clock } from '../../common/clock.js';
import type { Call } from '../../pipeline/call.js';

/** What is needed of a cache: `Cache` of cache-manager, 5 to 7, times in milliseconds. */
export interface CacheLike {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, ttl: number): Promise<unknown>;
}

/** A former result and how old it is. */
export interface StaleResult {
  readonly value: unknown;
  readonly ageMs: number;
}

export interface StaleCacheSettings {
  readonly ttl: number;
  readonly readTimeout: number;
  readonly writeTimeout: number;
}

/** What the cache holds: the result as JSON and when it was stored, milliseconds since the epoch. */
interface Entry {
  readonly json: string;
  readonly storedAt: number;
}

/** An operation on the cache that has not ended. */
interface Pending<T> {
  readonly startedAt: number;
  readonly done: Promise<T>;
  /** What came to be written meanwhile. */
  next: Entry | undefined;
}

/** Reads, and writes, that may be on their way at a time, over all keys. */
const MAX_PENDING = 1_000;

/** A cache that does not answer is asked again for a key after this many read timeouts. */
const PATIENCE = 20;

/**
 * The last good results, in a cache that may hang, fail or be empty. Nothing here throws, and nothing piles up:
 * one read and one write a key are on their way at a time.
 */
export class StaleCache {
  private readonly reads = new Map<string, Pending<Entry | undefined>>();
  private readonly writes = new Map<string, Pending<void>>();

  constructor(
    private readonly cache: () => CacheLike | undefined,
    private readonly settings: StaleCacheSettings,
    private readonly clock: Clock,
    private readonly onError: (operation: 'read' | 'write', error: unknown) => void,
  ) {}

  /** Keeps a result; returns at once. While a write of the same key is on its way, only the newest waits. */
  store(key: string, value: unknown): void {
    let json: string | undefined;
    try {
      json = JSON.stringify(value);
    } catch (error) {
      this.onError('write', error);
    }
    if (json === undefined) return; // nothing that JSON can hold
    const entry = { json, storedAt: this.clock.wall() };
    const pending = this.writes.get(key);
    const now = this.clock.now();
    if (pending !== undefined && now - pending.startedAt < this.settings.writeTimeout) {
      pending.next = entry;
    } else {
      this.write(key, entry, now);
    }
  }

  /** The last good result of that key, if the cache has it and gives it in time. */
  async find(key: string, call: Call): Promise<StaleResult | undefined> {
    const now = this.clock.now();
    let pending = this.reads.get(key);
    const { readTimeout } = this.settings;
    if (pending === undefined || now - pending.startedAt >= readTimeout * PATIENCE) {
      if (!hasRoom(this.reads, key, now - readTimeout * PATIENCE)) return undefined;
      pending = this.read(key, now);
    }
    // Whoever waits on the same read waits no longer than it may take as a whole.
    const left = pending.startedAt + readTimeout - now;
    const entry = left > 0 ? await this.within(left, pending.done, call) : undefined;
    if (entry === undefined) return undefined;
    const ageMs = Math.max(0, this.clock.wall() - entry.storedAt);
    try {
      return ageMs > this.settings.ttl ? undefined : { value: JSON.parse(entry.json), ageMs };
    } catch (error) {
      this.onError('read', error);
      return undefined;
    }
  }

  private write(key: string, entry: Entry, now: number): void {
    if (!hasRoom(this.writes, key, now - this.settings.writeTimeout)) return;
    const done = this.send(key, entry);
    const pending: Pending<void> = { startedAt: now, done, next: undefined };
    this.writes.set(key, pending);
    void done.then(() => {
      if (this.writes.get(key) !== pending) return; // given up, and another write begun
      this.writes.delete(key);
      if (pending.next !== undefined) this.write(key, pending.next, this.clock.now());
    });
  }

  private async send(key: string, entry: Entry): Promise<void> {
    try {
      await this.cache()?.set(key, entry, this.settings.ttl);
    } catch (error) {
      this.onError('write', error);
    }
  }

  private read(key: string, now: number): Pending<Entry | undefined> {
    const done = this.fetch(key);
    const pending = { startedAt: now, done, next: undefined };
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
          new Error(`the cache gave no answer within ${this.settings.readTimeout} ms`),
        );
        finish(undefined);
      }, ms);
      const finish = (result: T | undefined): void => {
        timer.cancel();
        call.onInterrupt = undefined;
        resolve(result);
      };
      call.onInterrupt = () => finish(undefined);
      void work.then(finish);
    });
  }
}

/** Whether one more may begin; the oldest that began before `limit` is no longer waited for. */
function hasRoom(pending: Map<string, Pending<unknown>>, key: string, limit: number): boolean {
  if (pending.size < MAX_PENDING || pending.has(key)) return true;
  for (const [oldest, { startedAt }] of pending) {
    if (startedAt > limit) return false;
    pending.delete(oldest);
    return true;
  }
  return true;
}

function isEntry(value: unknown): value is Entry {
  const { json, storedAt } = (value ?? {}) as Partial<Entry>;
  return typeof json === 'string' && typeof storedAt === 'number';
}
