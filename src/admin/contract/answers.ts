import type { BreakerState, OverrideKind } from '../../telemetry/events.js';
import type { AdminFleet } from './fleet.js';
import type {
  AdminBreaker,
  AdminBulkhead,
  AdminRateLimit,
  AdminCommand,
  AdminValue,
  AdminPipeline,
  AdminEvent,
  AdminSeries,
} from './parts.js';

/** The server that answers, and the moment of the answer. Part of each answer about the present. */
export interface AdminMoment {
  /** When the answer was made; compare other instants with it, not with the clock of the reader. */
  readonly at: number;
  /** Different after each start of the application: all sequence numbers then begin again. */
  readonly instance: string;
  /** The sequence number of the latest event; for `GET events?since=`. */
  readonly sequence: number;
  /** Whether all changes are refused. */
  readonly readOnly: boolean;
  /** Whether the body of a change must name who makes it; otherwise the server knows. */
  readonly needsBy: boolean;
}

/** How bad something is: nothing works (`critical`), some of it does not (`warning`), or it deserves attention (`notice`). */
export type AdminSeverity = 'critical' | 'warning' | 'notice';

/** The problem, in words. */
export type AdminTroubleKind =
  /** The circuit is open. */
  | 'open'
  /** The circuit is testing whether the dependency has recovered. */
  | 'half-open'
  /** The circuit is closed, and its failure rate is above half of the one that opens it. */
  | 'failing'
  /** An operator's override. */
  | OverrideKind
  /** All places of a bulkhead are taken, and calls wait or are rejected. */
  | 'saturated'
  /** A rate limit has rejected many calls within a minute. */
  | 'limiting'
  /** The store of the fleet does not answer: shared parts act as if they were local. */
  | 'store-degraded';

/** A problem, and its subject. */
export interface AdminTrouble {
  /** Its subject. */
  readonly part: 'breaker' | 'bulkhead' | 'rateLimit' | 'store';
  /** The name of the breaker, bulkhead or rate limit, or the kind of store. */
  readonly name: string;
  /** The problem, in words. */
  readonly kind: AdminTroubleKind;
  /** How bad it is. */
  readonly severity: AdminSeverity;
  /** Since when; for a circuit since it was last closed. Left out when that is not known. */
  readonly since?: number;
  /** The reason, as a sentence for people. */
  readonly why: string;
}

/** `GET <path>` */
export interface AdminOverview extends AdminMoment {
  /** The troubles, the worst first; at most 100. */
  readonly troubles: readonly AdminTrouble[];
  /** How many more there are. */
  readonly more: number;
  /** How many breakers there are, those by key included, by state; overridden ones are counted only by their override. */
  readonly breakers: Readonly<Record<BreakerState | OverrideKind, number>>;
  /** How many bulkheads there are, those by key included. */
  readonly bulkheads: number;
  /** How many rate limits there are, those by key included. */
  readonly rateLimits: number;
  /** How many commands there are. */
  readonly commands: number;
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

/** `GET <path>/bulkheads?search=&group=&keys=&offset=&limit=`: the fullest first. */
export type AdminBulkheads = AdminPage<AdminBulkhead>;

/** `GET <path>/rate-limits?search=&group=&keys=&offset=&limit=`: those that reject many calls first, then the most used up. */
export type AdminRateLimits = AdminPage<AdminRateLimit>;

/** `GET <path>/fleet`: 404 for an application without a store. */
export interface AdminFleetDetails extends AdminMoment {
  /** The fleet. */
  readonly fleet: AdminFleet;
}

/** `GET <path>/commands?search=&offset=&limit=` */
export type AdminCommands = AdminPage<AdminCommand>;

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

/** `GET <path>/events?since=<sequence>` */
export interface AdminEvents extends AdminMoment {
  /** The events after `since`, oldest first. */
  readonly events: readonly AdminEvent[];
  /** Whether older ones after `since` are forgotten. */
  readonly incomplete: boolean;
}

/** The body of `POST <path>/breakers/<name>/<action>`, as `application/json`. */
export interface AdminChange {
  /** Who makes it; at most 100 characters. Left out when the server knows (`needsBy` is false). */
  readonly by?: string;
  /** Why; at most 500 characters. */
  readonly reason: string;
  /**
   * When it ends by itself, as a date (`2030-01-31T12:00:00Z`) or a duration from now (`'30m'`). For overrides, and for
   * `configure` of all instances.
   */
  readonly until?: string | number;
  /** For `configure`: options of the circuit breaker; `null` reverts all earlier changes of the same scope. */
  readonly options?: { readonly [option: string]: unknown } | null;
  /** For `configure`: whether this instance is changed, or all that share the store. Default: all if the breaker is shared. */
  readonly scope?: 'local' | 'shared';
}

/** The actions on a breaker. */
export type AdminAction =
  'force-open' | 'disable' | 'observe-only' | 'clear' | 'reset' | 'configure';

/** The answer to a change: the breaker after it. Left out for all keys of a name. */
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
  /** A sentence for people, without any part of the request. */
  readonly message: string;
  /** All problems with the body of a change. */
  readonly problems?: readonly string[];
}
