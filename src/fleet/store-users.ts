import { outsideOfCalls } from '../common/async-context.js';
import { shared } from '../common/brand.js';
import { quietly, swallow } from '../common/quietly.js';
import { settledWithin } from '../common/settled-within.js';
import type { ResilienceStore } from './store.js';

/** How long a store may take to hear the last of an instance, milliseconds of the machine: nobody waits for it. */
const LONGEST_LEAVE = 250;

/** How many running applications of this process use a store. */
const users = shared('store-users', () => new WeakMap<ResilienceStore, number>());

/** Who uses a store; it is closed with the last one. */
export const storeUsers = {
  add(store: ResilienceStore): void {
    users.set(store, (users.get(store) ?? 0) + 1);
  },

  remove(store: ResilienceStore): void {
    users.set(store, (users.get(store) ?? 1) - 1);
    storeUsers.closeUnused(store);
  },

  /** Tells what is left to tell, and that an instance ends; only then its connection may. */
  async leave(
    store: ResilienceStore,
    instanceId: string,
    tellRest: () => Promise<void>,
  ): Promise<void> {
    const leave = async (): Promise<void> => {
      await tellRest().catch(() => {});
      await store.leave(instanceId);
    };
    await settledWithin(outsideOfCalls(leave), LONGEST_LEAVE);
    storeUsers.remove(store);
  },

  closeUnused(store: ResilienceStore): void {
    if ((users.get(store) ?? 0) === 0) quietly(() => swallow(store.close()));
  },
};
