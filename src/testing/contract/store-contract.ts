import { readArgument } from '../../common/given.js';
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
 *
 * @throws {TypeError} when an option is wrong
 */
export function storeContract(options: StoreContractOptions): readonly StoreContractCase[] {
  check(options);
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

function check(options: StoreContractOptions): void {
  readArgument('storeContract()', options, '{ connect, wait, lose }', (read) => {
    if (read.raw('connect') === undefined) read.wrong('connect', undefined, 'a function');
    for (const option of ['connect', 'wait', 'lose'] as const) read.function(option);
  });
}
