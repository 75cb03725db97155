import { randomBytes } from 'node:crypto';
import { show } from '../../common/printable.js';
import { isStore } from '../../fleet/options.js';
import type { ResilienceStore, StoreMessage } from '../../fleet/store.js';

/** How {@link storeContract} reaches a store. */
export interface StoreContractOptions {
  /**
   * Makes a store for one instance of a fleet. Stores of the same space share their data, for example by a prefix of their
   * keys; those of different spaces share nothing. They are closed when the case ends.
   */
  connect(space: string): ResilienceStore | Promise<ResilienceStore>;
  /** Lets time pass for the store, such as `(ms) => clock.advance(ms)`. Default: waits. */
  wait?(ms: number): Promise<void>;
  /** Loses the data of a space, as a flush does. Without it, cases that need it are left out. */
  lose?(space: string): void | Promise<void>;
}

/** The instances of a fleet that share one space of a store, for one case. */
export class Space {
  readonly name = `contract-${randomBytes(6).toString('hex')}`;
  private readonly stores: ResilienceStore[] = [];

  constructor(private readonly options: StoreContractOptions) {}

  async connect(): Promise<ResilienceStore> {
    const store = await this.options.connect(this.name);
    if (!isStore(store)) {
      throw new TypeError(`storeContract(): connect() gave ${show(store)}; use a store`);
    }
    this.stores.push(store);
    return store;
  }

  /** As many stores as an array pattern takes: `const [a, b] = await space.fleet(2)`. */
  async fleet<N extends number>(size: N): Promise<Fleet<N>> {
    const stores: ResilienceStore[] = [];
    for (let i = 0; i < size; i++) stores.push(await this.connect());
    return stores as Fleet<N>;
  }

  wait(ms: number): Promise<void> {
    return (
      this.options.wait?.(ms) ?? new Promise((resolve) => void setTimeout(resolve, Math.ceil(ms)))
    );
  }

  async lose(): Promise<void> {
    await this.options.lose?.(this.name);
  }

  /** Checks the store again and again until it finds something; for messages, which may take a while. */
  async until<T>(what: string, look: () => T | undefined | false): Promise<T> {
    for (let turn = 0; turn < 300; turn++) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await this.wait(10);
    }
    throw new Error(`waited in vain for ${what}`);
  }

  /** Collects messages. */
  async listen(store: ResilienceStore): Promise<StoreMessage[]> {
    const heard: StoreMessage[] = [];
    await store.subscribe((message) => void heard.push(message));
    return heard;
  }

  async close(): Promise<void> {
    await Promise.all(this.stores.map((store) => store.close()));
  }
}

type Fleet<N extends number> = 1 extends N
  ? [ResilienceStore]
  : 2 extends N
    ? [ResilienceStore, ResilienceStore]
    : 3 extends N
      ? [ResilienceStore, ResilienceStore, ResilienceStore]
      : ResilienceStore[];

/** A promise of the contract, tried in a space of its own. */
export interface Promised {
  readonly title: string;
  /** Whether it needs {@link StoreContractOptions.lose}. */
  readonly loses?: true;
  try(space: Space): Promise<void>;
}
