/** Calls are admitted (`closed`), are rejected (`open`), or a few are admitted as probes and decide (`half-open`). */
export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Why a breaker has changed its state; `reset`: `reset()` was called; `fleet`: another instance did, or knew of it
 * first.
 */
export type StateChangeReason =
  | 'failure-rate'
  | 'slow-call-rate'
  | 'consecutive-failures'
  | 'ready-to-trip'
  | 'open-time-elapsed'
  | 'probe-failed'
  | 'probes-succeeded'
  | 'fleet'
  | 'reset';

/** The counts of a breaker in its window (closed), or since it became half-open. */
export interface BreakerCounts {
  /** Admitted calls, those still running included. */
  readonly requests: number;
  /** Calls that have succeeded. */
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
 * Calls are rejected (`forced-open`), are admitted whatever happens (`disabled`), or are admitted while rejections are
 * only reported (`observe-only`).
 */
export type OverrideKind = 'forced-open' | 'disabled' | 'observe-only';

/** An operator's decision that overrides the breaker's own state. */
export interface BreakerOverride {
  /** The operator's decision. */
  readonly kind: OverrideKind;
  /** Who made it. */
  readonly by?: string | undefined;
  /** Why. */
  readonly reason?: string | undefined;
  /** When it ends by itself; `undefined`: only when it is cleared. */
  readonly until?: Date | undefined;
}
