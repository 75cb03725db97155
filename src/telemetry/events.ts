import type { Outcome } from '../common/outcomes/outcome.js';
import type {
  AttemptEvent,
  AttemptStartEvent,
  CallEndEvent,
  CallStartEvent,
} from './call-events.js';
import type {
  BreakerCounts,
  BreakerOverride,
  BreakerState,
  StateChangeReason,
} from './breaker-state.js';

export type {
  BreakerCounts,
  BreakerOverride,
  BreakerState,
  OverrideKind,
  StateChangeReason,
} from './breaker-state.js';

export type * from './call-events.js';

/** An attempt has failed, and another one has been scheduled. */
export interface RetryEvent {
  /** The kind of event. */
  readonly type: 'retry';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The number of the call, as in its `call-start`. */
  readonly callId: number;
  /** The attempt that failed. */
  readonly attempt: number;
  /** The wait before the next attempt, milliseconds. */
  readonly delayMs: number;
  /** The error of that attempt; `undefined` when `onResult` rejected its result. */
  readonly error: unknown;
}

/** Why a failed call is not retried any more. */
export type ExhaustionReason =
  /** `maxRetries` retries have been made. */
  | 'max-retries'
  /** The next wait would end after `maxElapsedTime`. */
  | 'max-elapsed-time'
  /** The next wait would end after the call's deadline. */
  | 'deadline'
  /** The circuit is open, and the next attempt would come before it admits calls again. */
  | 'circuit-open'
  /** The backoff function returned no valid delay, or threw. */
  | 'backoff'
  /** The client has gone, its response is being sent, or a body or a stream has been read, which nobody can read again. */
  | 'answered'
  /** The application is closing. */
  | 'shutdown';

/** A call has failed and is not retried any more. */
export interface RetriesExhaustedEvent {
  /** The kind of event. */
  readonly type: 'retries-exhausted';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The number of the call, as in its `call-start`. */
  readonly callId: number;
  /** Attempts that were made, the first one included. */
  readonly attempts: number;
  /** Why there is no further attempt. */
  readonly reason: ExhaustionReason;
  /** The error of the last attempt; `undefined` when `onResult` rejected its result. */
  readonly error: unknown;
}

/** A policy has rejected a call. */
export interface RejectedEvent {
  /** The kind of event. */
  readonly type: 'rejected';
  /** The name of the part that rejected it (a breaker, a rate limit, a bulkhead), or of the method, command or pipeline. */
  readonly name: string;
  /** The kind of policy, such as `circuitBreaker`. */
  readonly policy: string;
  /** The code of the error, such as `CIRCUIT_OPEN`. */
  readonly code: string;
  /** When another call may be admitted, milliseconds from now; `undefined` when that is unknown. */
  readonly retryAfterMs?: number | undefined;
  /** True when the policy only observes, so the call was admitted. */
  readonly observed?: boolean;
}

/** A call that waited for a place in a bulkhead has got one. */
export interface QueuedEvent {
  /** The kind of event. */
  readonly type: 'queued';
  /** The bulkhead's name. */
  readonly name: string;
  /** How long it waited for its place, milliseconds. */
  readonly waitedMs: number;
}

/** A call that waited for a rate limit has been allowed. */
export interface ThrottledEvent {
  /** The kind of event. */
  readonly type: 'throttled';
  /** The name of the rate limit. */
  readonly name: string;
  /** How long it waited, milliseconds. */
  readonly waitedMs: number;
}

/** A call or an attempt has run out of time. */
export interface TimeoutEvent {
  /** The kind of event. */
  readonly type: 'timeout';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The number of the call, as in its `call-start`. */
  readonly callId: number;
  /** The limit that was reached. */
  readonly scope: 'attempt' | 'total';
  /** The attempt that was running. */
  readonly attempt: number;
  /** The limit, milliseconds. */
  readonly afterMs: number;
}

/** Abandoned work (after a timeout or an abort) has ended after all; its result was dropped. */
export interface LateEvent {
  /** The kind of event. */
  readonly type: 'late';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The number of the call, as in its `call-start`. */
  readonly callId: number;
  /** The abandoned attempt; the first is 1. */
  readonly attempt: number;
  /** The outcome of the abandoned work. */
  readonly outcome: Outcome;
  /** From the start of the attempt to the end of its work, milliseconds. */
  readonly durationMs: number;
}

/** A circuit breaker has changed its state. */
export interface StateChangeEvent {
  /** The kind of event. */
  readonly type: 'state-change';
  /** The breaker's name. */
  readonly name: string;
  /** The state before. */
  readonly from: BreakerState;
  /** The new state. */
  readonly to: BreakerState;
  /** The rule or the action that caused the change. */
  readonly reason: StateChangeReason;
  /** The counts of the window when the decision was made. */
  readonly counts: BreakerCounts;
}

/** An operator has overridden a circuit breaker, or an override has been cleared or has ended. */
export interface OverrideEvent {
  /** The kind of event. */
  readonly type: 'override';
  /** The breaker's name. */
  readonly name: string;
  /** The new override; `undefined` when it was cleared or has ended. */
  readonly override: BreakerOverride | undefined;
  /** True for a shared breaker while the store is away: the other instances receive it when the store is back. */
  readonly pending?: true;
}

/** A fallback has answered, or has itself failed. */
export interface FallbackEvent {
  /** The kind of event. */
  readonly type: 'fallback';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The number of the call, as in its `call-start`. */
  readonly callId: number;
  /** The handler: the name of a method, function or class, `value`, `staleIfError`, … */
  readonly handler: string;
  /** Whether the fallback has answered. */
  readonly outcome: 'success' | 'failure';
  /** The error of the failed call. */
  readonly error: unknown;
  /** True when the answer is a stale result. */
  readonly stale?: boolean;
  /** The age of that result, milliseconds. */
  readonly ageMs?: number;
}

/** The cache behind `staleIfError()` failed or was too slow, or no key could be made; the call continued without it. */
export interface CacheErrorEvent {
  /** The kind of event. */
  readonly type: 'cache-error';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The operation that failed. */
  readonly operation: 'read' | 'write';
  /** The error of the cache, or of making the key. */
  readonly error: unknown;
}

/**
 * A patch as listeners see it: plain data, with names in place of functions and the like, and `null` where a patch
 * reverted options.
 */
export type ToldPatch = Readonly<Record<string, Readonly<Record<string, unknown>> | null>>;

/** Options have been changed while the application runs, by `ResilienceService.configure()` or `reconfigure()` of a registry. */
export interface ConfigurationEvent {
  /** The kind of event. */
  readonly type: 'configuration';
  /** The same as `target`: every event has a name. */
  readonly name: string;
  /** The target of the change: `'*'`, `'Class'`, `'Class.method'`, or the name of a command, pipeline, object, breaker or bulkhead. */
  readonly target: string;
  /** The changed options by policy; `null` when all earlier changes of the target were reverted. */
  readonly patch: ToldPatch | null;
  /** Who made the change. */
  readonly by?: string | undefined;
  /** Why. */
  readonly reason?: string | undefined;
  /** Set for a change of all instances that share a store. */
  readonly scope?: 'shared';
  /** When it ends by itself. */
  readonly until?: Date;
  /** True when the change has expired: its policies have the value `null`. */
  readonly ended?: true;
  /** True while the store is away: the other instances receive the change when it is back. */
  readonly pending?: true;
}

/** The store of the fleet does not answer: shared breakers and limits act as local ones. Emitted once. */
export interface StoreDegradedEvent {
  /** The kind of event. */
  readonly type: 'store-degraded';
  /** The kind of store, such as `redis`. */
  readonly name: string;
  /** The last error of the store. */
  readonly error: unknown;
}

/** The store of the fleet takes writes again, and has been read. */
export interface StoreRecoveredEvent {
  /** The kind of event. */
  readonly type: 'store-recovered';
  /** The kind of store, such as `redis`. */
  readonly name: string;
  /** How long it was away, milliseconds. */
  readonly degradedForMs: number;
}

/** Any event of a policy; `type` says which. */
export type ResilienceEvent =
  | CallStartEvent
  | CallEndEvent
  | AttemptStartEvent
  | AttemptEvent
  | RetryEvent
  | RetriesExhaustedEvent
  | RejectedEvent
  | QueuedEvent
  | ThrottledEvent
  | TimeoutEvent
  | LateEvent
  | StateChangeEvent
  | OverrideEvent
  | FallbackEvent
  | CacheErrorEvent
  | ConfigurationEvent
  | StoreDegradedEvent
  | StoreRecoveredEvent;

/** A kind of event: its `type`. */
export type ResilienceEventKind = ResilienceEvent['type'];

/** The event of a kind. */
export type ResilienceEventOf<Kind extends ResilienceEventKind> = Extract<
  ResilienceEvent,
  { readonly type: Kind }
>;
