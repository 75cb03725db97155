import type { Outcome } from '../common/outcomes/outcome.js';

/** One run of a protected method has ended, or has been given up. Rejected attempts, which never ran it, are `rejected` events. */
export interface AttemptEvent {
  readonly type: 'attempt';
  /** `Class.method`, or what the command or the pipeline is called. */
  readonly name: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly outcome: Outcome;
  readonly durationMs: number;
  readonly error?: unknown;
}

/** Another attempt has been scheduled. */
export interface RetryEvent {
  readonly type: 'retry';
  readonly name: string;
  /** The attempt that failed. */
  readonly attempt: number;
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
  readonly type: 'retries-exhausted';
  readonly name: string;
  readonly attempts: number;
  readonly reason: ExhaustionReason;
  readonly error: unknown;
}

/** A policy has turned a call away without running it. */
export interface RejectedEvent {
  readonly type: 'rejected';
  /** The name of the breaker or bulkhead that turned it away; for a fallback, the name of the call. */
  readonly name: string;
  readonly policy: string;
  readonly code: string;
  readonly retryAfterMs?: number | undefined;
  /** True when the policy only observes, and the call was let through. */
  readonly observed?: boolean;
}

/** A call that has waited for a place of a bulkhead has got it. */
export interface QueuedEvent {
  readonly type: 'queued';
  /** The bulkhead's name. */
  readonly name: string;
  readonly waitedMs: number;
}

/** A call or an attempt has run out of time. */
export interface TimeoutEvent {
  readonly type: 'timeout';
  readonly name: string;
  readonly scope: 'attempt' | 'total';
  /** The attempt that was running. */
  readonly attempt: number;
  readonly afterMs: number;
}

/** Work that had been given up (timeout, abort) has ended after all; its result was dropped. */
export interface LateEvent {
  readonly type: 'late';
  readonly name: string;
  readonly attempt: number;
  readonly outcome: Outcome;
  readonly durationMs: number;
}

/** A circuit breaker is in another state. */
export interface StateChangeEvent {
  readonly type: 'state-change';
  /** The breaker's name. */
  readonly name: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
  readonly reason: StateChangeReason;
  /** The counts of the window when the decision was made. */
  readonly counts: BreakerCounts;
}

/** An operator has overridden a circuit breaker, or cleared the override. */
export interface OverrideEvent {
  readonly type: 'override';
  readonly name: string;
  /** `undefined`: cleared. */
  readonly override: BreakerOverride | undefined;
}

/** A fallback has answered, or has failed too. */
export interface FallbackEvent {
  readonly type: 'fallback';
  readonly name: string;
  /** The handler: a method's or a class's name, `value`, `staleIfError`, … */
  readonly handler: string;
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
  readonly type: 'cache-error';
  readonly name: string;
  readonly operation: 'read' | 'write';
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
  readonly successes: number;
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
  readonly kind: OverrideKind;
  /** Who made it. */
  readonly by?: string | undefined;
  /** Why. */
  readonly reason?: string | undefined;
  /** When it ends by itself. */
  readonly until?: Date | undefined;
}
