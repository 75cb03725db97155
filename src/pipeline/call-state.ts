import type { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../common/clock.js';
import type { Outcome } from '../common/outcomes/outcome.js';
import type { AnswerSource } from '../telemetry/call-events.js';
import type { AnswerOutcome } from '../telemetry/metrics/event-of.js';
import type { RollingMetrics } from '../telemetry/metrics/metrics.js';
import type { ReportSink } from './call-report.js';
import type { Holding } from './holding.js';
import type { Liveness } from './liveness.js';
import type { UnfinishedWork } from './unfinished-work.js';
import type { Waiter } from './waiter.js';

/** A period in which a policy rejects calls. */
export interface Blockade {
  /** On the pipeline's clock. */
  readonly until: number;
  /** The error of rejected calls. */
  readonly rejection: Error;
}

/** Why a call stops waiting, and how far outwards it unwinds. */
export interface Interruption {
  /** The level of the stage that interrupted: everything inside it is abandoned. -1 abandons everything. */
  readonly level: number;
  readonly error: unknown;
  /** Emits its event; `undefined` when that has been done. */
  emit: (() => void) | undefined;
}

/** Work that ends early when its call is interrupted. An object, since a function would be created for each call. */
export interface Stoppable {
  stop(error: unknown): void;
}

/** The signal of an attempt. */
export interface Signalled {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

/**
 * The state of a call. In a class without a parent: constructors of derived classes check before each field whether `this`
 * exists yet, so one with all these fields would be too long for the compiler to inline it into each call.
 */
export abstract class CallState {
  /** The running attempt; the first is 1. */
  attempt = 1;
  /** Whether the outcome so far is an error ({@link error}) or a result ({@link value}). */
  failed = false;
  value: unknown = undefined;
  error: unknown = undefined;
  /** Whether the result is a stream that continues after the pipeline has ended. */
  streaming = false;
  source: AnswerSource = 'live';
  /** Age of a stale answer, milliseconds. */
  ageMs: number | undefined = undefined;
  /** True when a policy rejected this result but it is returned anyway; it must not be cached. */
  resultRejected = false;
  /** On the pipeline's clock: no wait may end after this. */
  deadline = Infinity;
  /** Until when, and with which error, a policy would reject another attempt; set by the last attempt. */
  nextRejection: Blockade | undefined = undefined;
  /** Where the answer to this failure, or its absence, is counted; `undefined` when nowhere. */
  answerMetrics: RollingMetrics | undefined = undefined;
  /** The error that a policy has answered instead of the method, the time at which it began, and the answer's outcome. */
  answered: { readonly error: unknown; readonly at: number; by: AnswerOutcome } | undefined =
    undefined;
  /** The error with which a policy of this pipeline has rejected the last attempt; set by the pipeline. */
  rejection: unknown = undefined;
  /** The outcome of the last attempt; `undefined` when no policy has judged it. */
  verdict: Outcome | undefined = undefined;
  /** Where to put the report on this call, if one is wanted. */
  reports: ReportSink | undefined = undefined;
  /** When it began, on the pipeline's clock; `undefined` when its end has no listener. */
  begunAt: number | undefined = undefined;
  /** Whether a stage keeps results, so that it has to be known whether they are live. */
  keepsResults = false;
  /** Whether the calls made by the running attempt were live; only set if {@link keepsResults}. */
  liveness: Liveness | undefined = undefined;
  /** The innermost part that the call holds and that calls inside it have to know about. */
  holding: Holding | undefined = undefined;
  /** The state that stages keep for this call, by level. */
  readonly held: unknown[] = [undefined, undefined, undefined, undefined, undefined, undefined]; // room for most pipelines
  /** Rises each time the call stops waiting for a stage on the way out, so that the stage can see that it is too late. */
  waitsEnded = 0;

  /** Whether anything may stop it before its work ends. */
  interruptible = false;
  /** The work that it waits for, if that can be stopped. */
  stoppable: Stoppable | undefined = undefined;
  /** Whether its outcome is decided. */
  protected finished = false;
  protected interruption: Interruption | undefined = undefined;
  /** The async context in which its outcome is reported; only known where that matters. */
  callerContext: AsyncResource | undefined = undefined;
  /** Called when the current wait is interrupted. */
  protected waiting: Waiter | undefined = undefined;
  /** Ends the current wait, if that is a promise. */
  protected interruptWait: ((error: unknown) => void) | undefined = undefined;
  protected signalled: Signalled | undefined = undefined;
  /** Called when the call is over. */
  protected endings: (() => void)[] | undefined = undefined;

  /** In events; 0 until it is first asked for. */
  protected number = 0;
  /** `NaN` until the clock is read again. */
  protected time = NaN;
  /** The error with which its stream has ended, in an object, since the error may be anything. */
  protected brokenBy: { readonly error: unknown } | undefined = undefined;
  protected onBroken: ((error: unknown) => void) | undefined = undefined;
  protected unfinished: UnfinishedWork | undefined = undefined;

  constructor(
    readonly args: readonly unknown[],
    protected readonly clock: Clock,
    /** The `this` of the protected method; `undefined` if there is none or it is not known yet. */
    readonly self: unknown = undefined,
  ) {}
}
