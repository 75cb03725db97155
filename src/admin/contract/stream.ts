import type { LatencySnapshot } from '../../telemetry/metrics/snapshot.js';
import type { AdminMoment } from './answers.js';
import type { AdminFleet } from './fleet.js';
import type {
  AdminBreaker,
  AdminBulkhead,
  AdminRateLimit,
  AdminEvent,
  AdminSeries,
  AdminSample,
} from './parts.js';

/**
 * A circuit breaker in the stream: as in the lists of the API, without its times in the states, and with only two latencies
 * of its metrics. `GET <path>/breakers/<name>` has all of them.
 */
export interface AdminStreamBreaker extends Omit<AdminBreaker, 'timeInStateMs' | 'metrics'> {
  /** Latencies of recent calls. */
  readonly metrics: { readonly latency: Pick<LatencySnapshot, 'p50' | 'p99'> };
}

/**
 * The first message of `GET <path>/stream`, with the event name `snapshot`. Parts by key are included as far
 * as there is room, those in trouble first; the lists of the API have all of them, and the commands. `series` messages follow it.
 */
export interface AdminSnapshot extends AdminMoment, AdminKeyed {
  /** The breakers. */
  readonly breakers: readonly AdminStreamBreaker[];
  /** The bulkheads. */
  readonly bulkheads: readonly AdminBulkhead[];
  /** The rate limits. */
  readonly rateLimits: readonly AdminRateLimit[];
  /** The fleet; `null` until the store has answered, left out without a store. */
  readonly fleet?: AdminFleet | null;
  /** The latest events, oldest first. */
  readonly events: readonly AdminEvent[];
}

/** How many parts by key there are, those that are not in the stream included. */
export interface AdminKeyed {
  /** How many breakers. */
  readonly keyedBreakers: number;
  /** How many bulkheads. */
  readonly keyedBulkheads: number;
  /** How many rate limits. */
  readonly keyedRateLimits: number;
}

/**
 * A message of the stream with the event name `series`: some of the series that belong to the snapshot. The last one has the id
 * with which the stream can be resumed. A part without a series had only zeros.
 */
export type AdminSeriesMessage = readonly AdminSeries[];

/** A message of the stream with the event name `delta`: the changes since the last one. With `samples`, it also counts keys. */
export interface AdminDelta extends AdminMoment, Partial<AdminKeyed> {
  /** Breakers that are new or have changed, whole. */
  readonly breakers: readonly AdminStreamBreaker[];
  /** Bulkheads that are new or have changed, whole. */
  readonly bulkheads: readonly AdminBulkhead[];
  /** Rate limits that are new or have changed, whole. */
  readonly rateLimits: readonly AdminRateLimit[];
  /** The fleet, whole, if it has changed; this is checked every 5 s. */
  readonly fleet?: AdminFleet;
  /** Names that are not shown any more. */
  readonly gone: {
    readonly breakers: readonly string[];
    readonly bulkheads: readonly string[];
    readonly rateLimits: readonly string[];
  };
  /** New events, oldest first. */
  readonly events: readonly AdminEvent[];
  /** How many new events are left out here; read them by `GET events?since=`. */
  readonly omitted: number;
  /** A step of the series, with its instant; parts that are not among the items had zeros. */
  readonly samples?: { readonly at: number; readonly items: readonly AdminSample[] };
}
