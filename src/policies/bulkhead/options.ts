import type { Duration } from '../../common/duration.js';
import type { OptionsReader } from '../../common/options-reader.js';
import { type Key, type KeyOfCall, readKey } from '../key.js';
import type { PolicySite } from '../policy.js';

/** Options of `@Bulkhead()`; a number stands for `{ maxConcurrent }`. */
export interface BulkheadOptions {
  /** Methods that give the same name share the places. Default `Class.method`, or what the command or the pipeline is called. */
  readonly name?: string;
  /** Calls that may run at a time. Default 10. */
  readonly maxConcurrent?: number;
  /** Calls that may wait for a place, first come, first served. Default 0: nobody waits. */
  readonly maxQueue?: number;
  /** How long a call may wait for a place. Default: as long as its timeouts allow. */
  readonly maxWait?: Duration;
  /**
   * Whether a call of the bulkhead that is made inside of a call that holds a place runs without a place of its own.
   * Then each call has an async context of its own. Default false: it needs a second place.
   */
  readonly reentrant?: boolean;
  /** A bulkhead per key: per host, per tenant. */
  readonly key?: Key;
  /** How many keys are kept at a time; a new one takes the place of one that is not in use. Default 1000. */
  readonly maxKeys?: number;
  /** A named configuration of `forRoot({ configs })` to take options from. */
  readonly config?: string;
}

/** Durations in milliseconds. */
export interface BulkheadSettings {
  readonly name: string | undefined;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  /** `undefined`: no limit of its own. */
  readonly maxWait: number | undefined;
  readonly reentrant: boolean;
  readonly key: KeyOfCall | undefined;
  readonly maxKeys: number;
}

export function readBulkheadOptions(
  read: OptionsReader<BulkheadOptions>,
  site: Pick<PolicySite, 'method' | 'name'> = { name: read.where, method: undefined },
): BulkheadSettings {
  const maxQueue = read.integer('maxQueue') ?? 0;
  if ((read.raw('maxQueue') ?? 0) === 0 && read.raw('maxWait') !== undefined) {
    read.contradiction('maxWait has no effect without maxQueue, as nobody waits; give both');
  }
  return {
    name: read.text('name'),
    maxConcurrent: read.integer('maxConcurrent', { min: 1 }) ?? 10,
    maxQueue,
    maxWait: read.duration('maxWait', { above: 0 }),
    reentrant: read.boolean('reentrant') ?? false,
    key: readKey(read, site),
    maxKeys: read.integer('maxKeys', { min: 1 }) ?? 1_000,
  };
}
