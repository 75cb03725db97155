import type {
  BreakerCounts,
  BreakerState,
  OverrideKind,
  StateChangeReason,
} from '../telemetry/events.js';
import type { BreakerLimits } from '../policies/circuit-breaker/snapshot.js';
import type { MetricsSnapshot } from '../telemetry/metrics/snapshot.js';

/*
 * The answers of the management API, as they are after JSON.parse(). Instants are milliseconds since the epoch, on the
 * server's clock; durations are milliseconds; rates and shares are 0 to 1. A field without a value is left out.
 */

/** The server that answers, and the moment of the answer. Part of each answer about the present. */
export interface AdminMoment {
  /** When the answer was made; compare other instants with it, not with the clock of the reader. */
  readonly at: number;
  /** Another one after each start of the application: all sequence numbers then begin again. */
  readonly instance: string;
  /** The sequence number of the latest event; for `GET events?since=`. */
  readonly sequence: number;
  /** Whether changes are refused for everybody. */
  readonly readOnly: boolean;
  /** Whether the body of a change must name who makes it; otherwise the server knows. */
  readonly needsBy: boolean;
}

/** How bad something is: nothing works (`critical`), some of it does not (`warning`), or somebody should know (`notice`). */
export type AdminSeverity = 'critical' | 'warning' | 'notice';

/** What is wrong. */
export type AdminTroubleKind =
  /** The circuit is open. */
  | 'open'
  /** The circuit tries whether the dependency has recovered. */
  | 'half-open'
  /** The circuit is closed, and its failure rate is above half of the one that opens it. */
  | 'failing'
  /** An operator's override. */
  | OverrideKind
  /** All places of a bulkhead are taken, and calls wait or are rejected. */
  | 'saturated';

/** Something that is not as it should be. */
export interface AdminTrouble {
  /** What it is about. */
  readonly part: 'breaker' | 'bulkhead';
  /** The name of the breaker or bulkhead. */
  readonly name: string;
  /** What is wrong. */
  readonly kind: AdminTroubleKind;
  /** How bad it is. */
  readonly severity: AdminSeverity;
  /** Since when; for a circuit since it was last closed. Left out when that is not known. */
  readonly since?: number;
  /** Why, as a sentence for people. */
  readonly why: string;
}

/** `GET <path>` */
export interface AdminOverview extends AdminMoment {
  /** What is ill, the worst first; at most 100. */
  readonly troubles: readonly AdminTrouble[];
  /** How many more there are. */
  readonly more: number;
  /** How many breakers there are, those by key included, by state; overridden ones are counted as that alone. */
  readonly breakers: Readonly<Record<BreakerState | OverrideKind, number>>;
  /** How many bulkheads there are, those by key included. */
  readonly bulkheads: number;
  /** How many commands there are. */
  readonly commands: number;
}

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

/** Why a breaker has the state that it has. */
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

/** One page of a list that may be long. */
export interface AdminPage<Item> extends AdminMoment {
  /** The items of this page. */
  readonly items: readonly Item[];
  /** How many there are on all pages. */
  readonly total: number;
  /** The `offset` of the next page; left out on the last one. */
  readonly next?: number;
}

/** `GET <path>/breakers?search=&state=&group=&keys=&offset=&limit=`: the worst first. */
export type AdminBreakers = AdminPage<AdminBreaker>;

/** `GET <path>/breakers/<name>`, the name as one component of a URL (`encodeURIComponent`). */
export interface AdminBreakerDetails extends AdminMoment {
  /** The breaker. */
  readonly breaker: AdminBreaker;
  /** The last quarter of an hour; left out for one that is not recorded. */
  readonly series?: AdminSeries;
  /** Methods, commands and pipelines that use it. */
  readonly usedBy: readonly string[];
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

/** `GET <path>/bulkheads?search=&group=&keys=&offset=&limit=`: the fullest first. */
export type AdminBulkheads = AdminPage<AdminBulkhead>;

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

/** `GET <path>/commands?search=&offset=&limit=` */
export type AdminCommands = AdminPage<AdminCommand>;

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
  /** The name of its breaker or bulkhead; the name that all keys share if there is one per key. */
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

/** `GET <path>/pipelines?search=&offset=&limit=` */
export type AdminPipelines = AdminPage<AdminPipeline>;

/** `GET <path>/configuration`: the layers of options that the application was given, and changes at run time. */
export interface AdminConfiguration extends AdminMoment {
  /** `forRoot({ defaults })` */
  readonly defaults: AdminValue;
  /** `configs` of `forRoot()` and `forFeature()`. */
  readonly configs: AdminValue;
  /** `pipelines` of `forRoot()` and `forFeature()`. */
  readonly pipelines: AdminValue;
  /** `overrides` of `forRoot()` and `forFeature()`. */
  readonly overrides: AdminValue;
}

/** Something that happened, or several times the same within a second. */
export interface AdminEvent {
  /** Rises by one with each event. */
  readonly sequence: number;
  /** When it happened. */
  readonly at: number;
  /** The kind: that of a `ResilienceEvent`, or `change` for a change by way of this API. */
  readonly type: string;
  /** The name that it is about: of a breaker, a bulkhead, a method, a command or a pipeline. */
  readonly name: string;
  /** How many times, if more than once. */
  readonly count?: number;
  /** The error: its name and message, without stack, body or headers. */
  readonly error?: string;
  /** What else the event says: numbers, words, `counts` and `override`. */
  readonly details: { readonly [field: string]: AdminValue };
}

/** `GET <path>/events?since=<sequence>` */
export interface AdminEvents extends AdminMoment {
  /** The events after `since`, oldest first. */
  readonly events: readonly AdminEvent[];
  /** Whether older ones after `since` are forgotten. */
  readonly incomplete: boolean;
}

/** The last quarter of an hour of a breaker, a bulkhead or a method. Each list has one number per step, the latest last. */
export interface AdminSeries {
  /** What it is about. */
  readonly part: 'breaker' | 'bulkhead' | 'method';
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
 * A line of a plot. Per second: `requests`, `retries`, `fallbacks`, `rejections`. A share of the requests: `errorRate`.
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
  | 'concurrency'
  | 'queue';

/** One step of a series, for those who have the former ones. */
export interface AdminSample {
  /** What it is about. */
  readonly part: AdminSeries['part'];
  /** Its name. */
  readonly name: string;
  /** The numbers of this step. */
  readonly values: { readonly [Line in AdminLine]?: number };
}

/**
 * The first message of `GET <path>/stream`, with the event name `snapshot`. Breakers and bulkheads by key are among it as far
 * as there is room, those that are ill first; the lists of the API have all of them. `series` messages follow it.
 */
export interface AdminSnapshot extends AdminMoment {
  /** The breakers. */
  readonly breakers: readonly AdminBreaker[];
  /** The bulkheads. */
  readonly bulkheads: readonly AdminBulkhead[];
  /** The commands. */
  readonly commands: readonly AdminCommand[];
  /** The latest events, oldest first. */
  readonly events: readonly AdminEvent[];
  /** How many breakers by key there are. */
  readonly keyedBreakers: number;
  /** How many bulkheads by key there are. */
  readonly keyedBulkheads: number;
}

/**
 * A message of the stream with the event name `series`: some of the series that belong to the snapshot. The last one has the id
 * with which the stream can be resumed. A part without a series had zeros.
 */
export type AdminSeriesMessage = readonly AdminSeries[];

/** A message of the stream with the event name `delta`: what has changed since the message before. */
export interface AdminDelta extends AdminMoment {
  /** Breakers that are new or have changed, whole. */
  readonly breakers: readonly AdminBreaker[];
  /** Bulkheads that are new or have changed, whole. */
  readonly bulkheads: readonly AdminBulkhead[];
  /** Commands that are new or have changed, whole. */
  readonly commands: readonly AdminCommand[];
  /** Names that are not shown any more. */
  readonly gone: {
    readonly breakers: readonly string[];
    readonly bulkheads: readonly string[];
  };
  /** New events, oldest first. */
  readonly events: readonly AdminEvent[];
  /** How many new events are left out here, to be read by `GET events?since=`. */
  readonly omitted: number;
  /** A step of the series, with the instant of it; parts that are not among the items had zeros. */
  readonly samples?: { readonly at: number; readonly items: readonly AdminSample[] };
}

/** The body of `POST <path>/breakers/<name>/<action>`, as `application/json`. */
export interface AdminChange {
  /** Who makes it; at most 100 characters. Left out when the server knows (`needsBy` is false). */
  readonly by?: string;
  /** Why; at most 500 characters. */
  readonly reason: string;
  /** For overrides: when it ends by itself, as a date (`2030-01-31T12:00:00Z`) or a duration from now (`'30m'`). */
  readonly until?: string | number;
  /** For `configure`: options of the circuit breaker. */
  readonly options?: { readonly [option: string]: unknown };
}

/** What can be done with a breaker. */
export type AdminAction =
  'force-open' | 'disable' | 'observe-only' | 'clear' | 'reset' | 'configure';

/** The answer to a change: the breaker after it. For all keys of a name there is none. */
export interface AdminChanged extends AdminMoment {
  /** The breaker. */
  readonly breaker?: AdminBreaker;
}

/** The body of an answer of status 400 or above. */
export interface AdminProblem {
  /** The status. */
  readonly statusCode: number;
  /** A word for programs. */
  readonly code:
    | 'BAD_REQUEST'
    | 'NOT_FOUND'
    | 'READ_ONLY'
    | 'UNKNOWN_CALLER'
    | 'FORBIDDEN'
    | 'HOST_NOT_ALLOWED'
    | 'CROSS_ORIGIN'
    | 'NOT_JSON'
    | 'TOO_LARGE'
    | 'TOO_MANY_CLIENTS'
    | 'FAILED';
  /** A sentence for people; nothing of the request is in it. */
  readonly message: string;
  /** All that is wrong with the body of a change. */
  readonly problems?: readonly string[];
}
