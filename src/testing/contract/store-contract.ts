import { circuitPromises } from './circuits.js';
import { fleetPromises } from './fleets.js';
import { limitPromises } from './limits.js';
import { overridePromises } from './overrides.js';
import { placePromises } from './places.js';
import { probePromises } from './probes.js';
import { Space, type StoreContractOptions } from './space.js';

/** A promise that each store keeps, as a test. */
export interface StoreContractCase {
  /** A sentence. */
  readonly title: string;
  /** Rejects with an `AssertionError` if the store breaks the promise. Cases may run at the same time. */
  readonly run: () => Promise<void>;
}

/**
 * The contract of every store, as tests for any framework.
 *
 * @example
 * for (const { title, run } of storeContract({ connect: (space) => redisStore({ url, prefix: space }) })) {
 *   test(title, run);
 * }
 */
export function storeContract(options: StoreContractOptions): readonly StoreContractCase[] {
  return [
    ...circuitPromises,
    ...probePromises,
    ...overridePromises,
    ...fleetPromises,
    ...limitPromises,
    ...placePromises,
  ]
    .filter(({ loses }) => loses === undefined || options.lose !== undefined)
    .map((promised) => ({
      title: promised.title,
      run: async () => {
        const space = new Space(options);
        try {
          await promised.try(space);
        } finally {
          await space.close();
        }
      },
    }));
}
