import { CheckedStore } from '../../src/fleet/checked-store.js';
import { GuardedStore } from '../../src/fleet/guarded-store.js';
import { StoreGuard } from '../../src/fleet/store-guard.js';
import type { ResilienceStore } from '../../src/fleet/store.js';
import type { ManualClock } from '../../src/testing/index.js';

/** A store as one instance of a fleet uses it, and what that knows. */
export class Instance {
  /** How many instances are alive. */
  living = 1;
  readonly guard: StoreGuard;
  readonly store: GuardedStore;

  constructor(store: ResilienceStore, clock: ManualClock, instanceId = 'a') {
    this.guard = new StoreGuard(new CheckedStore(store, () => {}), clock, {
      degraded: () => {},
      recovered: () => {},
    });
    this.store = new GuardedStore(this.guard, {
      instanceId,
      callTimeout: 50,
      backgroundTimeout: 250,
      instances: () => this.living,
    });
  }

  /** The reaction of the fleet once the store answers again. */
  recover(): void {
    this.guard.recover();
  }
}

/** A store whose answers come `ms` later, on the test's clock. */
export function slowly(store: ResilienceStore, clock: ManualClock, ms: number): ResilienceStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        const answer: unknown = await value.apply(target, args);
        await new Promise<void>((resolve) => void clock.setTimer(resolve, ms));
        return answer;
      };
    },
  });
}
