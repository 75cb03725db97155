/** Stands for Nest's cache, in any major version; keeps the stored objects themselves. */
export class MemoryCache {
  readonly entries = new Map<string, unknown>();
  readonly provider: { provide: string; useValue: object } = {
    provide: 'CACHE_MANAGER',
    useValue: this,
  };

  async get(key: string): Promise<unknown> {
    return this.entries.get(key);
  }

  async set(key: string, value: unknown): Promise<unknown> {
    return this.entries.set(key, value);
  }

  async del(key: string): Promise<unknown> {
    return this.entries.delete(key);
  }
}
