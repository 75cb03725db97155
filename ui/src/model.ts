import type {
  AdminStreamBreaker,
  AdminBulkhead,
  AdminEvent,
  AdminPipeline,
  AdminRateLimit,
} from '../../src/admin/contract.js';

/*
 * The data of the views: the server's answers, as the contract of the management API has them, with additions of the page.
 */

/** How urgently something needs attention. */
export interface Health {
  readonly level: 'bad' | 'warn' | 'info' | 'good';
  readonly word: string;
}

/** Values at equal steps, the newest last. */
export type Values = readonly (number | null)[];

/** The last quarter of an hour. */
export interface History {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  /** Per second. */
  readonly requests: Values;
  /** Shares, 0 to 1. */
  readonly errors: Values;
  /** Per second. */
  readonly rejected: Values;
  /** Per second. */
  readonly retries: Values;
  /** Per second. */
  readonly fallbacks: Values;
  /** Per second: fallbacks that answered with an earlier result. */
  readonly stale: Values;
  /** Milliseconds. */
  readonly p50: Values;
  /** Milliseconds. */
  readonly p95: Values;
  /** Milliseconds. */
  readonly p99: Values;
  readonly running: Values;
  readonly waiting: Values;
}

/** A circuit breaker, with its health and its recent past. */
export interface Dependency extends AdminStreamBreaker {
  readonly health: Health;
  /** Why it is in its state, in words. */
  readonly why: string;
  /** Since when that is so, milliseconds since 1970; `undefined` when it is not known. */
  readonly troubleSince: number | undefined;
  /** Counts of the window against its thresholds, in words. */
  readonly facts: readonly (readonly [string, string])[];
  readonly history: History | undefined;
}

/** A bulkhead. */
export type Bulkhead = AdminBulkhead;

/** A rate limit, with its recent past. */
export interface RateLimit extends AdminRateLimit {
  /** `undefined` when all is well. */
  readonly health: Health | undefined;
  readonly history: History | undefined;
}

/** The pipeline of a method, command or name. */
export type Method = AdminPipeline;

/** Something that happened. */
export type Happening = AdminEvent;
