import type { Duration } from '../../common/duration.js';
import type { OptionsReader } from '../../common/options-reader.js';
import { type Key, type KeyOfCall, readKey } from '../key.js';
import type { PolicySite } from '../policy.js';
import { type Scope, readScope } from '../scope.js';
import type { Switchable } from '../switchable.js';
import { type Cost, type CostOfCall, readCost } from './cost.js';
import type { Rate } from './gcra.js';

/** Options of `@RateLimit()`; a number stands for `{ limit }`. */
export interface RateLimitOptions extends Switchable {
  /** Methods that use the same name share the limit. Default: the name of the pipeline, method (`Class.method`) or command. */
  readonly name?: string;
  /** Calls that are allowed in {@link per}, evenly. Default 100. */
  readonly limit?: number;
  /** The period of the limit. Default: 1 s. */
  readonly per?: Duration;
  /** Calls that may come at once, after a time without calls. Default: as many as {@link limit}. */
  readonly burst?: number;
  /**
   * How long a call may wait until it is allowed, first come, first served; one that would have to wait longer is rejected at
   * once. Each user of a limit may have its own. Default 0: no call waits.
   */
  readonly maxWait?: Duration;
  /** The number of calls that a call counts as. Each user of a limit may have its own. Default 1. */
  readonly cost?: Cost;
  /** One limit per key: per client or tenant, for example. Default: one for all calls. */
  readonly key?: Key;
  /** How many keys are kept at a time; a new one replaces one that has recovered fully. Default 10000. */
  readonly maxKeys?: number;
  /**
   * Whether every answer of an HTTP handler has `RateLimit` and `RateLimit-Policy`, or only answers to rejected calls.
   * Each user of a limit may have its own. Default false.
   */
  readonly headers?: boolean;
  /**
   * Whether the limit is for the calls of this process (`'local'`), or of all instances (`'shared'`), which needs
   * a store: `forRoot({ store })`. Default `'local'`.
   */
  readonly scope?: Scope;
  /** A named configuration of `forRoot({ configs })` to take options from. */
  readonly config?: string;
}

/** Durations in milliseconds. */
export interface RateLimitSettings extends Rate {
  readonly name: string | undefined;
  readonly maxWait: number;
  readonly cost: number | CostOfCall;
  readonly key: KeyOfCall | undefined;
  readonly maxKeys: number;
  readonly headers: boolean;
  readonly scope: Scope;
}

/** The options in which users of one limit may differ. */
export const OF_SUBJECT = [
  'maxWait',
  'cost',
  'headers',
] as const satisfies (keyof RateLimitOptions)[];

export function readRateLimitOptions(
  read: OptionsReader<RateLimitOptions>,
  site: Pick<PolicySite, 'method' | 'name' | 'fleet'> = {
    name: read.where,
    method: undefined,
    fleet: undefined,
  },
): RateLimitSettings {
  const limit = read.integer('limit', { min: 1 }) ?? 100;
  return {
    name: read.text('name'),
    limit,
    perMs: read.duration('per', { above: 0 }) ?? 1_000,
    burst: read.integer('burst', { min: 1 }) ?? limit,
    maxWait: read.duration('maxWait') ?? 0,
    cost: readCost(read, site) ?? 1,
    key: readKey(read, site),
    maxKeys: read.integer('maxKeys', { min: 1 }) ?? 10_000,
    headers: read.boolean('headers') ?? false,
    scope: readScope(read, site, 'limit'),
  };
}
