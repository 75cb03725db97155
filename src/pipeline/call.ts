import type { Clock } from '../common/clock.js';
import type { Outcome, OutcomeRule } from '../common/outcomes/outcome.js';
import { isStreamResult } from '../common/outcomes/stream-result.js';
import type { AnswerOutcome } from '../telemetry/metrics/event-of.js';
import type { RollingMetrics } from '../telemetry/metrics/metrics.js';
import { callerHasGone } from './abort-signals.js';
import type { AnswerSource, ReportSink } from './call-report.js';
import { Holding, heldAround, runHolding } from './holding.js';
import { Interruptible } from './interruption.js';
import { Liveness, tellNotLive } from './liveness.js';
import { UnfinishedWork, endOf } from './unfinished-work.js';

/** Something that answers in a method's place. */
export type Substitute = (self: unknown, args: readonly unknown[]) => unknown;

/** A policy that turns calls away for some time. */
export interface Blockade {
  /** On the pipeline's clock. */
  readonly until: number;
  /** The error for calls that are turned away. */
  readonly rejection: Error;
}

/** One invocation travelling through a pipeline: what the stages know of it and can do to it. */
export abstract class Call extends Interruptible {
  /** The running attempt; the first is 1. */
  attempt = 1;
  /** Whether the outcome so far is an error ({@link error}) or a result ({@link value}). */
  failed = false;
  value: unknown = undefined;
  error: unknown = undefined;
  /** Whether the result is a stream that goes on when the pipeline has ended. */
  streaming = false;
  source: AnswerSource = 'live';
  /** Age of a stale answer, milliseconds. */
  ageMs: number | undefined = undefined;
  /** True when a policy rejected this result but it is returned anyway; it must not be cached. */
  resultRejected = false;
  /** On the pipeline's clock: nothing may be begun that cannot end before it. */
  deadline = Infinity;
  /** Set when the last attempt left the circuit open: until when, and with which error, another attempt would be rejected. */
  nextRejection: Blockade | undefined = undefined;
  /** Metrics of the breaker that the last attempt failed under; the fallback's outcome is counted there. */
  answerMetrics: RollingMetrics | undefined = undefined;
  /** The failure that a fallback was to answer, when that was, and what it did. */
  answered: { readonly error: unknown; readonly at: number; by: AnswerOutcome } | undefined =
    undefined;
  /** The error with which a policy of this pipeline has turned the last attempt away; set by the pipeline. */
  rejection: unknown = undefined;
  /** How its breaker has judged the last attempt. */
  verdict: Outcome | undefined = undefined;
  /** Where to put an account of this call, when somebody asked for one. */
  reports: ReportSink | undefined = undefined;
  /** Whether a stage keeps results, and has to know whether they are live. */
  keepsResults = false;
  /** Whether the calls that the running attempt has made were live, when somebody has to know. */
  liveness: Liveness | undefined = undefined;
  /** The innermost part that it holds and that calls inside of it have to know of. */
  holding: Holding | undefined = undefined;
  /** The stages' own state for this call, by level. */
  readonly held: unknown[] = [undefined, undefined, undefined, undefined, undefined, undefined]; // room for most pipelines
  /** Rises whenever the call has stopped waiting for a stage on its way out. */
  waitsEnded = 0;

  private time = NaN;
  private unfinished: UnfinishedWork | undefined = undefined;

  constructor(
    readonly args: readonly unknown[],
    private readonly clock: Clock,
    /** The `this` of the protected method; `undefined` when there is none, or it is not known yet. */
    readonly self: unknown = undefined,
  ) {
    super();
  }

  /** Whether its result may be a stream. */
  protected get mayStream(): boolean {
    return false;
  }

  /** Runs the protected work once, as a subclass knows how. */
  protected abstract perform(): unknown;

  /** Has `run` answer in the method's place, with the method's `this` and arguments. */
  protected abstract performInstead(run: Substitute): unknown;

  /** Runs the protected work once. */
  start(): unknown {
    if (!this.keepsResults && this.holding === undefined) return this.perform();
    if (!this.keepsResults) return this.startHolding();
    this.liveness?.end();
    this.liveness = new Liveness();
    return this.liveness.watch(() => this.startHolding());
  }

  private startHolding(): unknown {
    return this.holding === undefined
      ? this.perform()
      : runHolding(this.holding, () => this.perform());
  }

  /** Has `run` answer in the method's place, with the method's `this` and arguments; the answer is of that source. */
  substitute(run: Substitute, source: Exclude<AnswerSource, 'live'>): unknown {
    // Told where it runs: on a handler that is inside of caches that stand on the method.
    const instead: Substitute = (self, args) => {
      tellNotLive(source);
      return run(self, args);
    };
    return this.holding === undefined
      ? this.performInstead(instead)
      : runHolding(this.holding, () => this.performInstead(instead));
  }

  /** Makes known to calls inside of this one that it holds `part`, until the holding ends. */
  hold(part: object): Holding {
    this.holding = new Holding(part, this.holding ?? heldAround());
    return this.holding;
  }

  /** How it has ended, as far as it has: the one place where outcomes are decided. */
  outcomeBy(rule: OutcomeRule): Outcome {
    if (!this.failed && !this.interrupted) return rule.ofResult(this.value);
    if (this.callerHasGone) return 'ignored';
    return this.failed ? rule.ofError(this.error) : rule.ofResult(this.value);
  }

  /**
   * Whether it ends as it does because its caller gave it up: by its own signal, or by one that its arguments carry.
   * The name of an error says nothing: a client's own timeout is an `AbortError` too.
   */
  get callerHasGone(): boolean {
    return this.cancelled || (this.failed && callerHasGone(this.args));
  }

  /** Whether another attempt makes sense to whoever waits for the answer. */
  wantsAnotherAttempt(): boolean {
    return true;
  }

  /** The time, read at most once between two waits. */
  now(): number {
    if (Number.isNaN(this.time)) this.time = this.clock.now();
    return this.time;
  }

  /** To be called after each wait: time has passed. */
  tick(): void {
    this.time = NaN;
  }

  /** The result so far. Must not throw: it is told between the stages. */
  succeed(value: unknown): void {
    this.failed = false;
    this.value = value;
    this.streaming = this.mayStream && isStreamResult(value);
    this.error = undefined;
  }

  fail(error: unknown): void {
    this.failed = true;
    this.error = error;
    this.value = undefined;
    this.streaming = false;
  }

  /**
   * Remembers work that goes on when the pipeline has stopped waiting for it, without its result.
   *
   * @param onFailure called when the work fails
   */
  track(work: unknown, onFailure = nothing): void {
    if (isPromiseLike(work)) {
      this.workToRemember.running = work.then(nothing);
      this.workToRemember.running.then(nothing, onFailure);
    } else if (this.unfinished !== undefined) this.unfinished.running = undefined;
  }

  /** The attempt has been given up while its work goes on. */
  abandon(work: PromiseLike<unknown>): void {
    this.workToRemember.abandoned = endOf(work);
  }

  /** The promise of the protected method, when that runs further inside than the pipeline can see. */
  get runningWork(): PromiseLike<unknown> | undefined {
    return this.unfinished?.running;
  }

  /** The end of what goes on of the work inside of `level`, when the call does not wait for it any more. */
  unfinishedWork(level: number): PromiseLike<unknown> | undefined {
    return this.unfinished?.end(level);
  }

  private get workToRemember(): UnfinishedWork {
    return (this.unfinished ??= new UnfinishedWork());
  }

  override finish(): void {
    super.finish();
    this.liveness?.end();
  }

  beginAttempt(): void {
    this.throwIfInterrupted();
    this.unfinished?.beginAttempt();
  }

  /**
   * The stage at `level` has it run once more: what the last attempt was answered with is gone.
   *
   * @param keepsWork whether a stage outside of that one has to know when the abandoned work ends
   */
  beginAgain(level: number, keepsWork: boolean): void {
    this.attempt += 1;
    this.unfinished?.beginAgain(level, keepsWork);
    this.source = 'live';
    this.ageMs = undefined;
    this.answered = undefined;
  }
}

const nothing = (): void => {};

/**
 * A promise of what a thenable stands for. To be called once, where the work begins: each `then()` of a query builder
 * sends its query again.
 */
export function adopt(result: unknown): unknown {
  return isPromiseLike(result) ? Promise.resolve(result) : result;
}

export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
