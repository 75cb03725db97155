import type { Outcome } from '../common/outcomes/outcome.js';

/** The origin of a call's result: the method itself, a fallback, or a stale result. */
export type AnswerSource = 'live' | 'fallback' | 'stale';

/** A protected call has begun; its `call-end` event follows, whatever happens. */
export interface CallStartEvent {
  /** The kind of event. */
  readonly type: 'call-start';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The number of the call, the same in all events that have one; unique in the process. */
  readonly callId: number;
}

/** The policy that rejected a call. */
export interface CallRejection {
  /** The kind of policy, such as `circuitBreaker`. */
  readonly policy: string;
  /** The name of the part that rejected it (a breaker, a rate limit, a bulkhead), or of the method, command or pipeline. */
  readonly name: string;
  /** The code of the error, such as `CIRCUIT_OPEN`. */
  readonly code: string;
}

/** A protected call has ended. For a stream, this is when it has ended or has been left. */
export interface CallEndEvent {
  /** The kind of event. */
  readonly type: 'call-end';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The number of the call, as in its `call-start` event. */
  readonly callId: number;
  /** The number of attempts, the first and rejected ones included. */
  readonly attempts: number;
  /** The outcome by the default rule, regardless of the options of single policies. */
  readonly outcome: Outcome;
  /**
   * The origin of the result: the method itself (`live`), a fallback, or a stale result; also `live` when the call
   * failed.
   */
  readonly source: AnswerSource;
  /** The age of a stale answer, milliseconds. */
  readonly ageMs?: number;
  /** Duration of the whole call, including all attempts and waits, milliseconds. */
  readonly durationMs: number;
  /** The policy that rejected the last attempt, even if a fallback answered. */
  readonly rejectedBy?: CallRejection;
  /** The error, if the call ended with one. */
  readonly error?: unknown;
}

/** The method is about to run: an attempt that no policy has rejected. Its `attempt` event follows. */
export interface AttemptStartEvent {
  /** The kind of event. */
  readonly type: 'attempt-start';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The number of the call, as in its `call-start` event. */
  readonly callId: number;
  /** The attempt; the first is 1. */
  readonly attempt: number;
}

/**
 * One run of a protected method has ended, or the call has stopped waiting for it. A rejected attempt, which never ran the
 * method, is a `rejected` event.
 */
export interface AttemptEvent {
  /** The kind of event. */
  readonly type: 'attempt';
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The number of the call, as in its `call-start` event. */
  readonly callId: number;
  /** The attempt; the first is 1. */
  readonly attempt: number;
  /** The outcome by the default rule, regardless of the options of single policies. */
  readonly outcome: Outcome;
  /** From the start of the attempt to its end, milliseconds. */
  readonly durationMs: number;
  /** The error, if the run ended with one. */
  readonly error?: unknown;
}
