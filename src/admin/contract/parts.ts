import type { BreakerLimits, BreakerSnapshot } from '../../policies/circuit-breaker/snapshot.js';
import type { RateLimitSnapshot } from '../../policies/rate-limit/snapshot.js';
import type {
  BreakerCounts,
  BreakerState,
  OverrideKind,
  StateChangeReason,
} from '../../telemetry/events.js';
import type { MetricsSnapshot } from '../../telemetry/metrics/snapshot.js';

/** An operator's override in force. */
export interface AdminOverride {
  /** The operator's decision. */
  readonly kind: OverrideKind;
  /** Who made it. */
  readonly by?: string;
  /** Why. */
  readonly reason?: string;
  /** When it ends by itself; left out: only when it is cleared. */
  readonly until?: number;
}

/** Why a breaker is in its state. */
export interface AdminCause {
  /** The rule or the action that changed the state. */
  readonly reason: StateChangeReason;
  /** When. */
  readonly at: number;
  /** The counts of the window at that moment. */
  readonly counts: BreakerCounts;
}

/** A circuit breaker at one moment. */
export interface AdminBreaker {
  /** The name in the registry; `name[key]` for one by key. */
  readonly name: string;
  /** For one by key: the name that all keys share. */
  readonly group?: string;
  /** Whether the state is this instance's, or the fleet's, by the first trip or by a quorum. */
  readonly scope: BreakerSnapshot['scope'];
  /** The state by its own rules, regardless of an override. */
  readonly state: BreakerState;
  /** Since when it has been in this state. */
  readonly since: number;
  /** Since when it has not been closed; left out while it is. */
  readonly illSince?: number;
  /** Why it is in this state; left out when it has not changed since the start, or that was too long ago. */
  readonly cause?: AdminCause;
  /** The operator's override in force. */
  readonly override?: AdminOverride;
  /** When an open circuit admits the next probe. */
  readonly probeAt?: number;
  /** The counts by which it decides. */
  readonly counts: BreakerCounts;
  /** Failures among the ended calls of the window. */
  readonly failureRate: number;
  /** Slow calls among the ended calls of the window. */
  readonly slowCallRate: number;
  /** When it opens, and for how long. */
  readonly limits: { readonly [Limit in keyof BreakerLimits]?: NonNullable<BreakerLimits[Limit]> };
  /** How long it was in each state since the start, without the present stay, which began at `since`. */
  readonly timeInStateMs: Readonly<Record<BreakerState, number>>;
  /** Admitted calls whose outcome is not known yet. */
  readonly running: number;
  /** Calls rejected since the start. */
  readonly rejected: number;
  /** Outcomes, concurrency and latencies of recent calls. */
  readonly metrics: MetricsSnapshot;
}

/** A bulkhead at one moment. */
export interface AdminBulkhead {
  /** The name in the registry; `name[key]` for one by key. */
  readonly name: string;
  /** For one by key: the name that all keys share. */
  readonly group?: string;
  /** Calls that may run at a time. */
  readonly maxConcurrent: number;
  /** Calls that may wait. */
  readonly maxQueue: number;
  /** Calls that hold a place. */
  readonly running: number;
  /** Calls that wait for a place. */
  readonly waiting: number;
  /** Calls rejected since the start. */
  readonly rejected: number;
}

/** A rate limit at one moment. */
export interface AdminRateLimit {
  /** The name in the registry; `name[key]` for one by key. */
  readonly name: string;
  /** For one by key: the name that all keys share. */
  readonly group?: string;
  /** Whether it is that of this process, or of all instances of the application. */
  readonly scope: RateLimitSnapshot['scope'];
  /** Calls per `perMs`. */
  readonly limit: number;
  /** The period of the limit. */
  readonly perMs: number;
  /** Calls that may come at once. */
  readonly burst: number;
  /** Calls that would be allowed now without a wait. */
  readonly remaining: number;
  /** Calls of this process that wait until they are allowed. */
  readonly waiting: number;
  /** Calls of this process that were allowed since the start. */
  readonly admitted: number;
  /** Calls of this process that were rejected since the start. */
  readonly rejected: number;
  /** Its calls of the last minute; left out for one that is not recorded. */
  readonly recent?: AdminRecentCalls;
}

/** The calls of this process that have asked a rate limit in the last minute, as of the latest step of its series. */
export interface AdminRecentCalls {
  /** Those that were allowed. */
  readonly admitted: number;
  /** Those that were rejected. */
  readonly rejected: number;
}

/** A command at one moment. */
export interface AdminCommand {
  /** The name of the command. */
  readonly name: string;
  /** The name of its breaker, if it has one that is not by key. */
  readonly breaker?: string;
  /** The name of its bulkhead, if it has one that is not by key. */
  readonly bulkhead?: string;
  /** Outcomes, concurrency and latencies of recent calls. */
  readonly metrics: MetricsSnapshot;
}

/** A value of an option as JSON. A function is `'function'`, a secret `'[secret]'`, an instance `'[Class]'`. */
export type AdminValue =
  string | number | boolean | null | readonly AdminValue[] | { readonly [key: string]: AdminValue };

/** One option in force. */
export interface AdminOption {
  /** The name of the option. */
  readonly name: string;
  /** Its value. */
  readonly value: AdminValue;
  /**
   * The layer that it comes from: `library`, `defaults`, `configs['…']`, `pipelines['…']`, `decorator`, `definition` (of a command
   * or a pipeline in code), `overrides['…']`, `live` (changed at run time), or the place of the definition that it refers to.
   */
  readonly origin: string;
}

/** One policy of a pipeline. */
export interface AdminPolicy {
  /** The kind of policy, such as `circuitBreaker`. */
  readonly kind: string;
  /** The name of its breaker, bulkhead or rate limit; the name that all keys share if there is one per key. */
  readonly part?: string;
  /** Its options, with the layer that each comes from. */
  readonly options: readonly AdminOption[];
}

/** The pipeline of a method, a command or a name. */
export interface AdminPipeline {
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The names of the stages, outermost first. */
  readonly stages: readonly string[];
  /** Its policies. */
  readonly policies: readonly AdminPolicy[];
}

/** Something that happened, or several times the same within a second. */
export interface AdminEvent {
  /** Rises by one with each event. */
  readonly sequence: number;
  /** When it happened. */
  readonly at: number;
  /** The kind: that of a `ResilienceEvent`, or `change` for a change by way of this API. */
  readonly type: string;
  /** The name that it is about: of a breaker, a bulkhead, a rate limit, a method, a command or a pipeline. */
  readonly name: string;
  /** How many times, if more than once. */
  readonly count?: number;
  /** The error: its name and message, without stack, body or headers. */
  readonly error?: string;
  /** Further facts of the event: numbers, words, `counts` and `override`. */
  readonly details: { readonly [field: string]: AdminValue };
}

/** The last quarter of an hour of a breaker, a bulkhead, a rate limit or a method. Each list has one number per step, the latest last. */
export interface AdminSeries {
  /** Its subject. */
  readonly part: 'breaker' | 'bulkhead' | 'rateLimit' | 'method';
  /** Its name: also that of a command or pipeline, for `method`. */
  readonly name: string;
  /** The instant of the latest number. */
  readonly until: number;
  /** Time between two numbers. */
  readonly stepMs: number;
  /** The lists; only those that the part has. */
  readonly values: { readonly [Line in AdminLine]?: readonly number[] };
}

/**
 * A line of a plot. Per second: `requests` (for a rate limit those that it has allowed), `retries`, `fallbacks`, `stale` (the
 * fallbacks that answered with an earlier result), `rejections`. A share of the requests: `errorRate`.
 * Milliseconds: `p50`, `p95`, `p99`. At that moment: `concurrency`, `queue`.
 */
export type AdminLine =
  | 'requests'
  | 'errorRate'
  | 'p50'
  | 'p95'
  | 'p99'
  | 'rejections'
  | 'retries'
  | 'fallbacks'
  | 'stale'
  | 'concurrency'
  | 'queue';

/** One step of a series, for clients that have the earlier ones. */
export interface AdminSample {
  /** Its subject. */
  readonly part: AdminSeries['part'];
  /** Its name. */
  readonly name: string;
  /** The numbers of this step. */
  readonly values: { readonly [Line in AdminLine]?: number };
}
