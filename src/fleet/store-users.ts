import { outsideOfCalls } from '../common/async-context.js';
import { shared } from '../common/brand.js';
import { quietly } from '../common/quietly.js';
import { swallow } from '../common/outcomes/look.js';
import { settledWithin } from '../common/settled-within.js';
import type { ResilienceStore } from './store.js';

/** How long a store may take for the last messages of an instance, milliseconds of real time: nothing waits for it. */
const LONGEST_LEAVE = 250;

/** How many running applications of this process use a store. */
const users = shared('store-users', () => new WeakMap<ResilienceStore, number>());

/** The users of a store; it is closed with the last one. */
export const storeUsers = {
  add(store: ResilienceStore): void {
    users.set(store, (users.get(store) ?? 0) + 1);
  },

  remove(store: ResilienceStore): void {
    users.set(store, (users.get(store) ?? 1) - 1);
    storeUsers.closeUnused(store);
  },

  /** Sends what is left to send, and that an instance ends; only then may its connection end. */
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
