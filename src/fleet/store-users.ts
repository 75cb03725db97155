import { shared } from '../common/brand.js';
import type { ResilienceStore } from './store.js';

/** How many running applications of this process use a store. */
const users = shared('store-users', () => new WeakMap<ResilienceStore, number>());

export const storeUsers = {
  add(store: ResilienceStore): void {
    users.set(store, (users.get(store) ?? 0) + 1);
  },

  has(store: ResilienceStore): boolean {
    return (users.get(store) ?? 0) > 0;
  },

  /** @returns whether nobody uses the store any more */
  remove(store: ResilienceStore): boolean {
    const left = (users.get(store) ?? 1) - 1;
    users.set(store, left);
    return left === 0;
  },
};
