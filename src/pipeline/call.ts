import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../common/clock.js';
import { isResilienceError } from '../common/errors.js';
import { OngoingResult, type Outcome, type OutcomeRule } from '../common/outcome.js';
import { MetricEvent, type RollingMetrics } from '../telemetry/metrics/metrics.js';
import type { AnswerSource, ReportSink } from './call-report.js';
import { type CallScope, callScope } from './call-scope.js';
import { Holding } from './holding.js';

/** Something that answers in a method's place. */
export type Substitute = (self: unknown, args: readonly unknown[]) => unknown;

/** What a fallback did about a failure. */
export type FallbackOutcome = 'success' | 'failure' | 'rejected';

/** Why a call stops waiting for what it waits for, and how far outwards it unwinds. */
interface Interruption {
  /** The stage that stopped it: what is inside this level is given up. {@link WHOLE_CALL} gives up all. */
  readonly level: number;
  readonly error: unknown;
  /** Tells of it, until it has been told. */
  tell: (() => void) | undefined;
}

/** A policy that turns calls away for some time. */
export interface Blockade {
  /** On the pipeline's clock. */
  readonly until: number;
  /** What calls are turned away with. */
  readonly rejection: Error;
}

/** The level of an interruption that no stage may answer: the caller has gone. */
const WHOLE_CALL = -1;

/**
 * One invocation travelling through a pipeline: what the stages know of it and can do to it.
 *
 * A call that nothing can interrupt (no timeout, no signal) awaits its work directly; the machinery of
 * interruption is only used by one that is {@link interruptible}.
 */
export abstract class Call {
  /** The running attempt; the first is 1. */
  attempt = 1;
  /** Whether the outcome so far is an error ({@link error}) or a result ({@link value}). */
  failed = false;
  value: unknown = undefined;
  error: unknown = undefined;
  /** Whether the result is a stream that goes on when the pipeline has ended. */
  ongoing = false;
  source: AnswerSource = 'live';
  /** Age of a stale answer, milliseconds. */
  ageMs: number | undefined = undefined;
  /** Whether a policy takes the result for a failure that it could not mend: it is not to be kept. */
  doubtful = false;
  /** On the pipeline's clock: nothing may be begun that cannot end before it. */
  deadline = Infinity;
  /** What would turn away another attempt, as the last one has left things. */
  blockedBy: Blockade | undefined = undefined;
  /** What the last attempt failed under; it is told what becomes of the failure. */
  unhealthy: RollingMetrics | undefined = undefined;
  /** The failure that a fallback was to answer, when that was, and what it did. */
  answered: { readonly error: unknown; readonly at: number; by: FallbackOutcome } | undefined =
    undefined;
  /** The error with which a policy of this pipeline has turned the last attempt away. */
  rejection: unknown = undefined;
  /** How its breaker has judged the last attempt. */
  verdict: Outcome | undefined = undefined;
  /** Whether anything may stop this call before its work ends. */
  interruptible = false;
  /** The attempt's work, when it goes on after the attempt: what a stage holds for it is free only at its end. */
  abandoned: PromiseLike<unknown> | undefined = undefined;
  /** What the protected method has returned, when it runs further inside than the pipeline can see. */
  tracked: PromiseLike<unknown> | undefined = undefined;
  /** What a wait wants done when the call is interrupted. */
  onInterrupt: ((error: unknown) => void) | undefined = undefined;
  /** Where to put an account of this call, when somebody asked for one. */
  reports: ReportSink | undefined = undefined;
  /** The innermost part that it holds and that calls inside of it have to know of. */
  holding: Holding | undefined = undefined;
  /** What the stages hold for this call, by level. */
  readonly held: unknown[] = [undefined, undefined, undefined, undefined, undefined, undefined]; // room for most pipelines

  private interruption: Interruption | undefined = undefined;
  private interruptWait: ((error: unknown) => void) | undefined = undefined;
  private controller: AbortController | undefined = undefined;
  private abortSignal: ((reason: unknown) => void) | undefined = undefined;
  private time = NaN;
  /** Whether its outcome is decided. */
  protected finished = false;
  /** Rises whenever the call has stopped waiting for a stage on its way out. */
  turn = 0;
  private children: Set<Call> | undefined = undefined;
  private parent: Call | undefined = undefined;
  private endings: (() => void)[] | undefined = undefined;
  /** The stage that has had it run again, and what earlier attempts have abandoned. */
  private repeatedAt = -1;
  private leftBehind: PromiseLike<unknown>[] | undefined = undefined;

  constructor(
    readonly args: readonly unknown[],
    private readonly clock: Clock,
    /** The `this` of the protected method; `undefined` when there is none, or it is not known yet. */
    readonly self: unknown = undefined,
  ) {}

  /** Runs the protected work once, as a subclass knows how. */
  protected abstract perform(): unknown;

  /** Has `run` answer in the method's place, with the method's `this` and arguments. */
  protected abstract performInstead(run: Substitute): unknown;

  /** Runs the protected work once. */
  start(): unknown {
    return this.holding === undefined
      ? this.perform()
      : callScope.run(this.scopeOfWork(), () => this.perform());
  }

  /** Has `run` answer in the method's place, with the method's `this` and arguments. */
  substitute(run: Substitute): unknown {
    return this.holding === undefined
      ? this.performInstead(run)
      : callScope.run(this.scopeOfWork(), () => this.performInstead(run));
  }

  /** Makes known to calls inside of this one that it holds `part`, until the holding ends. */
  hold(part: object): Holding {
    this.holding = new Holding(part, this.holding ?? callScope.getStore()?.holding);
    return this.holding;
  }

  private scopeOfWork(): CallScope {
    return { claimed: false, over: false, ...callScope.getStore(), holding: this.holding };
  }

  /** How it has ended, as far as it has: the one place where outcomes are decided. */
  outcomeBy(rule: OutcomeRule): Outcome {
    if (this.cancelled) return 'ignored';
    return this.failed ? rule.ofError(this.error) : rule.ofResult(this.value);
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

  succeed(value: unknown): void {
    this.failed = false;
    this.value = value;
    this.ongoing = value instanceof OngoingResult;
    this.error = undefined;
  }

  fail(error: unknown): void {
    this.failed = true;
    this.error = error;
    this.value = undefined;
    this.ongoing = false;
  }

  /**
   * Aborted when the attempt has run out of time or the caller has gone. Made when first asked for; an attempt
   * after an aborted one gets a new signal.
   */
  get signal(): AbortSignal {
    if (this.interruption !== undefined) return AbortSignal.abort(this.interruption.error);
    if (this.controller === undefined) {
      const controller = new AbortController();
      this.controller = controller;
      // Whoever listens hears of it in the caller's async context, not in that of the timer that ran out.
      this.abortSignal = AsyncResource.bind((reason: unknown) => controller.abort(reason));
    }
    return this.controller.signal;
  }

  /** The caller has gone: stops the call, whatever it waits for; `reason` becomes its error. */
  abort(reason: unknown): void {
    this.interrupt(WHOLE_CALL, reason);
  }

  get interrupted(): boolean {
    return this.interruption !== undefined;
  }

  /** Whether it was stopped from outside and not for being slow: its outcome says nothing about anybody. */
  get cancelled(): boolean {
    const { interruption } = this;
    return interruption?.level === WHOLE_CALL && !isResilienceError(interruption.error, 'TIMEOUT');
  }

  /** Gives up what is inside `level`, with `error` as its outcome. */
  interrupt(level: number, error: unknown): void {
    if (this.finished) return;
    if (this.interruption !== undefined && this.interruption.level <= level) return;
    this.interruption = { level, error, tell: undefined };
    const { abortSignal } = this;
    this.controller = undefined;
    this.abortSignal = undefined;
    this.interruptWait?.(error);
    try {
      this.onInterrupt?.(error);
    } catch {
      // a teardown of the user's that throws must not keep the rest from ending
    }
    abortSignal?.(error);
    if (this.children) for (const child of this.children) child.abort(error);
  }

  /** Has `tell` called when the call goes on with `error`: in its own async context, whoever has interrupted it. */
  whenInterruptedBy(error: unknown, tell: () => void): void {
    const { interruption } = this;
    if (interruption !== undefined && interruption.error === error) interruption.tell = tell;
  }

  /** Whether a stage at `level` is inside of what is being given up. */
  isGivenUp(level: number): boolean {
    return this.interruption !== undefined && this.interruption.level < level;
  }

  /** To be called when unwinding has reached the stage that interrupted. */
  resumeAt(level: number): void {
    if (this.interruption?.level === level) this.interruption = undefined;
  }

  /** Throws when the call has been interrupted. */
  throwIfInterrupted(): void {
    if (this.interruption !== undefined) throw this.interruption.error;
  }

  /** The error with which it ends: that of an interruption, whatever else has failed meanwhile. */
  reasonOr(error: unknown): unknown {
    const { interruption } = this;
    if (interruption === undefined) return error;
    const { tell } = interruption;
    interruption.tell = undefined;
    tell?.();
    return interruption.error;
  }

  beginAttempt(): void {
    this.throwIfInterrupted();
    this.abandoned = undefined;
    this.tracked = undefined;
  }

  /** Waits for `work`, or for an interruption; what the work does after that is nobody's concern. */
  interruptibly<T>(work: T | PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.interruptWait = reject;
      if (this.interruption !== undefined) reject(this.interruption.error);
      Promise.resolve(work).then(resolve, reject);
    });
  }

  /** Remembers work that goes on when the pipeline has stopped waiting for it. */
  track(result: unknown): void {
    this.tracked = isPromiseLike(result) ? result : undefined;
  }

  /** A signal of the caller's stops the call. */
  obey(signal: AbortSignal): void {
    this.interruptible = true;
    const abort = (): void => this.abort(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    this.atEnd(() => signal.removeEventListener('abort', abort));
  }

  /** Ends with the parent, and by its deadline; at once when what it belongs to has been given up. */
  follow(parent: Call, givenUp?: { readonly error: unknown }): void {
    this.parent = parent;
    this.interruptible = true;
    this.deadline = parent.deadline;
    (parent.children ??= new Set()).add(this);
    const stopped = givenUp ?? parent.interruption;
    if (stopped !== undefined) this.abort(stopped.error);
  }

  /** The outcome is decided: nothing stops the call any more. */
  close(): void {
    this.finished = true;
  }

  /** The stage at `level` has it run once more: what the last attempt was answered with is gone. */
  beginAgain(level: number): void {
    this.attempt += 1;
    this.repeatedAt = level;
    if (this.abandoned !== undefined) (this.leftBehind ??= []).push(this.abandoned);
    this.source = 'live';
    this.ageMs = undefined;
    this.answered = undefined;
  }

  /** What goes on of the work inside of `level`, when the call does not wait for it any more. */
  workLeft(level: number): PromiseLike<unknown> | undefined {
    const last = this.abandoned ?? this.tracked;
    const { leftBehind } = this;
    if (leftBehind === undefined || level > this.repeatedAt) return last;
    return Promise.allSettled([...leftBehind, last]);
  }

  /** The call is over: lets go of everything outside of it. */
  finish(): void {
    this.close();
    this.parent?.children?.delete(this);
    const { endings } = this;
    if (endings === undefined) return;
    this.endings = undefined;
    for (const ending of endings) ending();
  }

  /** Has `ending` called when the call is over: a result that is a stream goes on after the pipeline. */
  atEnd(ending: () => void): void {
    (this.endings ??= []).push(ending);
  }
}

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

const FALLBACK_EVENTS: Readonly<Record<FallbackOutcome, MetricEvent>> = {
  success: MetricEvent.fallbackSuccess,
  failure: MetricEvent.fallbackFailure,
  rejected: MetricEvent.fallbackRejected,
};

/** What metrics count for what became of a failure: with no fallback for it, that is missing. */
export function fallbackEventOf({ answered, failed }: Call): MetricEvent | undefined {
  if (answered !== undefined) return FALLBACK_EVENTS[answered.by];
  return failed ? MetricEvent.fallbackMissing : undefined;
}
