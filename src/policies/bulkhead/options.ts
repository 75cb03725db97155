import type { Duration } from '../../common/duration.js';
import type { OptionsReader } from '../../common/options-reader.js';
import { type Key, type KeyOfCall, readKey } from '../key.js';
import type { PolicySite } from '../policy.js';
import { type Scope, readScope } from '../scope.js';
import type { Switchable } from '../switchable.js';

/** Options of `@Bulkhead()`; a number stands for `{ maxConcurrent }`. */
export interface BulkheadOptions extends Switchable {
  /** Methods that use the same name share the places. Default: the name of the pipeline, method (`Class.method`) or command. */
  readonly name?: string;
  /** Calls that may run at a time. Default 10. */
  readonly maxConcurrent?: number;
  /** Calls that may wait for a place, first come, first served. Default 0: none. */
  readonly maxQueue?: number;
  /** How long a call may wait for a place. Default: no limit apart from its timeouts. */
  readonly maxWait?: Duration;
  /**
   * Whether a call that is made inside a call that holds a place shares this place. Costs an async context per call.
   * Default false: it needs a second place.
   */
  readonly reentrant?: boolean;
  /** One bulkhead per key: per host or tenant, for example. Default: one for all calls. */
  readonly key?: Key;
  /** How many keys are kept at a time; a new one replaces one that is not in use. Default 1000. */
  readonly maxKeys?: number;
  /**
   * Whether the places are for the calls of this process (`'local'`), or of all instances (`'shared'`), which needs a
   * store: `forRoot({ store })`. Default `'local'`.
   */
  readonly scope?: Scope;
  /** A named configuration of `forRoot({ configs })` to take options from. */
  readonly config?: string;
}

/** Durations in milliseconds. */
export interface BulkheadSettings {
  readonly name: string | undefined;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  /** `undefined`: no limit. */
  readonly maxWait: number | undefined;
  readonly reentrant: boolean;
  readonly key: KeyOfCall | undefined;
  readonly maxKeys: number;
  readonly scope: Scope;
}

export function readBulkheadOptions(
  read: OptionsReader<BulkheadOptions>,
  site: Pick<PolicySite, 'method' | 'name' | 'fleet'> = {
    name: read.where,
    method: undefined,
    fleet: undefined,
  },
): BulkheadSettings {
  const maxQueue = read.integer('maxQueue') ?? 0;
  if ((read.raw('maxQueue') ?? 0) === 0 && read.raw('maxWait') !== undefined) {
    read.contradiction('maxWait has no effect without maxQueue, since no call waits; give both');
  }
  return {
    name: read.text('name'),
    maxConcurrent: read.integer('maxConcurrent', { min: 1 }) ?? 10,
    maxQueue,
    maxWait: read.duration('maxWait', { above: 0 }),
    reentrant: read.boolean('reentrant') ?? false,
    key: readKey(read, site),
    maxKeys: read.integer('maxKeys', { min: 1 }) ?? 1_000,
    scope: readScope(read, site, 'places'),
  };
}
