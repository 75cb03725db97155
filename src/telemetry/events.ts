import type { Outcome } from '../common/outcomes/outcome.js';

/** One run of a protected method has ended, or has been given up. Rejected attempts, which never ran it, are `rejected` events. */
export interface AttemptEvent {
  /** Tells the kind of event. */
  readonly type: 'attempt';
  /** `Class.method`, or what the command or the pipeline is called. */
  readonly name: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** By the default rule, whatever the options of single policies say. */
  readonly outcome: Outcome;
  /** From the start of the attempt to its end, milliseconds. */
  readonly durationMs: number;
  /** Only when it has failed. */
  readonly error?: unknown;
}

/** Another attempt has been scheduled. */
export interface RetryEvent {
  /** Tells the kind of event. */
  readonly type: 'retry';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The attempt that failed. */
  readonly attempt: number;
  /** The wait before the next attempt, milliseconds. */
  readonly delayMs: number;
  /** The error of that attempt; `undefined` when `onResult` rejected its result. */
  readonly error: unknown;
}

/** Why a failed call is not tried again. */
export type ExhaustionReason =
  /** `maxRetries` retries have been made. */
  | 'max-retries'
  /** The next wait would end after `maxElapsedTime`. */
  | 'max-elapsed-time'
  /** The next wait would end after the call's deadline. */
  | 'deadline'
  /** The circuit has opened, and the next attempt would come before it admits one. */
  | 'circuit-open'
  /** The backoff function returned no valid delay, or threw. */
  | 'backoff'
  /** The client has gone, or its response is being sent. */
  | 'answered'
  /** The application is closing. */
  | 'shutdown';

/** A call has failed and is not tried again. */
export interface RetriesExhaustedEvent {
  /** Tells the kind of event. */
  readonly type: 'retries-exhausted';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** Attempts that were made, the first one included. */
  readonly attempts: number;
  /** Why no further one is made. */
  readonly reason: ExhaustionReason;
  /** The error that the caller gets. */
  readonly error: unknown;
}

/** A policy has turned a call away without running it. */
export interface RejectedEvent {
  /** Tells the kind of event. */
  readonly type: 'rejected';
  /** The name of the breaker or bulkhead that turned it away; for a fallback, the name of the call. */
  readonly name: string;
  /** The kind of the policy, such as `circuitBreaker`. */
  readonly policy: string;
  /** The code of the error, such as `CIRCUIT_OPEN`. */
  readonly code: string;
  /** When another call may be admitted, milliseconds from now; `undefined` when that is not known. */
  readonly retryAfterMs?: number | undefined;
  /** True when the policy only observes, and the call was let through. */
  readonly observed?: boolean;
}

/** A call that has waited for a place of a bulkhead has got it. */
export interface QueuedEvent {
  /** Tells the kind of event. */
  readonly type: 'queued';
  /** The bulkhead's name. */
  readonly name: string;
  /** How long it has waited for its place, milliseconds. */
  readonly waitedMs: number;
}

/** A call or an attempt has run out of time. */
export interface TimeoutEvent {
  /** Tells the kind of event. */
  readonly type: 'timeout';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The limit that was reached. */
  readonly scope: 'attempt' | 'total';
  /** The attempt that was running. */
  readonly attempt: number;
  /** That limit, milliseconds. */
  readonly afterMs: number;
}

/** Work that had been given up (timeout, abort) has ended after all; its result was dropped. */
export interface LateEvent {
  /** Tells the kind of event. */
  readonly type: 'late';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The attempt that was given up; the first is 1. */
  readonly attempt: number;
  /** The outcome that nobody waited for. */
  readonly outcome: Outcome;
  /** From the start of the attempt to the end of its work, milliseconds. */
  readonly durationMs: number;
}

/** A circuit breaker is in another state. */
export interface StateChangeEvent {
  /** Tells the kind of event. */
  readonly type: 'state-change';
  /** The breaker's name. */
  readonly name: string;
  /** The state that has ended. */
  readonly from: BreakerState;
  /** The state that has begun. */
  readonly to: BreakerState;
  /** The rule or the action that has led to it. */
  readonly reason: StateChangeReason;
  /** The counts of the window when the decision was made. */
  readonly counts: BreakerCounts;
}

/** An operator has overridden a circuit breaker, or cleared the override. */
export interface OverrideEvent {
  /** Tells the kind of event. */
  readonly type: 'override';
  /** The name of the breaker. */
  readonly name: string;
  /** `undefined`: cleared. */
  readonly override: BreakerOverride | undefined;
}

/** A fallback has answered, or has failed too. */
export interface FallbackEvent {
  /** Tells the kind of event. */
  readonly type: 'fallback';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The handler: a method's or a class's name, `value`, `staleIfError`, … */
  readonly handler: string;
  /** Whether the fallback has answered. */
  readonly outcome: 'success' | 'failure';
  /** The error that it answered. */
  readonly error: unknown;
  /** Set when the answer is a former result. */
  readonly stale?: boolean;
  /** How old that former result is. */
  readonly ageMs?: number;
}

/** The cache behind `staleIfError()` has failed or was too slow; the call went on without it. */
export interface CacheErrorEvent {
  /** Tells the kind of event. */
  readonly type: 'cache-error';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The operation that has failed. */
  readonly operation: 'read' | 'write';
  /** The error of the cache, or of making the key. */
  readonly error: unknown;
}

/** Anything that a policy tells of; `type` says which. */
export type ResilienceEvent =
  | AttemptEvent
  | RetryEvent
  | RetriesExhaustedEvent
  | RejectedEvent
  | QueuedEvent
  | TimeoutEvent
  | LateEvent
  | StateChangeEvent
  | OverrideEvent
  | FallbackEvent
  | CacheErrorEvent;

/** Calls go through (`closed`), are rejected (`open`), or a few go through and decide (`half-open`). */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** Why a breaker has changed its state; `reset`: somebody has called `reset()`. */
export type StateChangeReason =
  | 'failure-rate'
  | 'slow-call-rate'
  | 'consecutive-failures'
  | 'ready-to-trip'
  | 'open-time-elapsed'
  | 'probe-failed'
  | 'probes-succeeded'
  | 'reset';

/** The counts of a breaker in its window (closed) or since it began to probe (half-open). */
export interface BreakerCounts {
  /** Calls admitted, those still running included. */
  readonly requests: number;
  /** Calls that have ended well. */
  readonly successes: number;
  /** Calls that have failed. */
  readonly failures: number;
  /** Calls whose outcome says nothing about the dependency. */
  readonly ignored: number;
  /** Calls slower than `slowCallDuration`. */
  readonly slow: number;
  /** Successes since the last failure. */
  readonly consecutiveSuccesses: number;
  /** Failures since the last success. */
  readonly consecutiveFailures: number;
}

/**
 * Calls are rejected (`forced-open`), go through whatever happens (`disabled`), or go through while rejections are
 * only told of (`observe-only`).
 */
export type OverrideKind = 'forced-open' | 'disabled' | 'observe-only';

/** A decision of an operator that stands beside the breaker's own state. */
export interface BreakerOverride {
  /** The operator's decision. */
  readonly kind: OverrideKind;
  /** Who made it. */
  readonly by?: string | undefined;
  /** Why. */
  readonly reason?: string | undefined;
  /** When it ends by itself. */
  readonly until?: Date | undefined;
}
