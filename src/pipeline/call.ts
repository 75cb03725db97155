import { shared } from '../common/brand.js';
import type { Outcome, OutcomeRule } from '../common/outcomes/outcome.js';
import { isPromiseLike } from '../common/outcomes/look.js';
import { isStreamResult } from '../common/outcomes/stream-result.js';
import { callerHasGone } from './abort-signals.js';
import type { AnswerSource } from '../telemetry/call-events.js';
import { Holding, heldAround, runHolding } from './holding.js';
import { Interruptible } from './interruption.js';
import { Liveness, tellNotLive } from './liveness.js';
import { UnfinishedWork, endOf } from './unfinished-work.js';

/** A function that answers instead of the method. */
export type Substitute = (self: unknown, args: readonly unknown[]) => unknown;

/** One invocation on its way through a pipeline: its state, and the operations that stages have on it. */
export abstract class Call extends Interruptible {
  /** Whether the result, a success, may still turn out to be broken: {@link breakOff}. */
  get mayBreak(): boolean {
    return this.streaming;
  }

  /** Whether its result may be a stream. */
  protected get mayStream(): boolean {
    return false;
  }

  /** Runs the protected work once. */
  protected abstract perform(): unknown;

  /** Runs `run` instead of the method, with the method's `this` and arguments. */
  protected abstract performInstead(run: Substitute): unknown;

  /** Runs the protected work once, in the async context that it needs. */
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

  /** Runs `run` instead of the method, with the method's `this` and arguments; its answer has that source. */
  substitute(run: Substitute, source: Exclude<AnswerSource, 'live'>): unknown {
    // Reported where it runs: on a handler, that is inside the caching interceptors of the method.
    const instead: Substitute = (self, args) => {
      tellNotLive(source);
      return run(self, args);
    };
    return this.holding === undefined
      ? this.performInstead(instead)
      : runHolding(this.holding, () => this.performInstead(instead));
  }

  /** Shows calls inside this one that it holds `part`, until the holding ends. */
  hold(part: object): Holding {
    this.holding = new Holding(part, this.holding ?? heldAround());
    return this.holding;
  }

  /** The outcome so far. The only place where outcomes are decided. */
  outcomeBy(rule: OutcomeRule): Outcome {
    if (!this.failed && !this.interrupted) return rule.ofResult(this.value);
    if (this.callerHasGone) return 'ignored';
    return this.failed ? rule.ofError(this.error) : rule.ofResult(this.value);
  }

  /**
   * Whether the call has ended because its caller has gone, as shown by its own signal or by one among its arguments. Never
   * decided by the name of an error: a client's own timeout is an `AbortError` too.
   */
  get callerHasGone(): boolean {
    return this.cancelled || (this.failed && callerHasGone(this.args));
  }

  /** Sets headers of the answer, if the call is an HTTP request whose answer has not begun. */
  setHeaders(_headers: Readonly<Record<string, string>>): void {}

  /** Whether another attempt makes sense for the caller. */
  wantsAnotherAttempt(): boolean {
    return true;
  }

  /** Its number in events. */
  get callId(): number {
    if (this.number === 0) this.number = counter.last += 1;
    return this.number;
  }

  /** The time, read at most once between two waits. */
  now(): number {
    if (Number.isNaN(this.time)) this.time = this.clock.now();
    return this.time;
  }

  /** Call it after each wait, so that the clock is read again. */
  tick(): void {
    this.time = NaN;
  }

  /** Sets the result. Must not throw, since it is called between stages. */
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

  /** Remembers work in case the pipeline stops waiting for it; `undefined` when it has ended. */
  track(work: unknown): void {
    if (isPromiseLike(work)) this.workToRemember.running = work;
    else if (this.unfinished !== undefined) this.unfinished.running = undefined;
  }

  /** Remembers the work of an abandoned attempt. */
  abandon(work: PromiseLike<unknown>): void {
    this.workToRemember.abandoned = endOf(work);
  }

  /** The promise of the protected method, if that runs further inside than the pipeline can see. */
  get runningWork(): PromiseLike<unknown> | undefined {
    return this.unfinished?.running;
  }

  /** The end of work inside `level` that goes on although the call no longer waits for it; `undefined` if there is none. */
  unfinishedWork(level: number): PromiseLike<unknown> | undefined {
    return this.unfinished?.end(level);
  }

  private get workToRemember(): UnfinishedWork {
    return (this.unfinished ??= new UnfinishedWork());
  }

  /** Its way out has ended. Its caller may have stopped it there, in a listener for example. */
  conclude(): void {
    if (this.streaming) return;
    if (this.interrupted) this.fail(this.reasonOr(this.error));
    this.close();
  }

  override finish(): void {
    super.finish();
    this.liveness?.end();
  }

  /** Call it when its stream, or the body of its answer, has ended with an error after its beginning. */
  breakOff(error: unknown): void {
    if (this.brokenBy !== undefined || this.interrupted) return;
    this.brokenBy = { error };
    this.onBroken?.(error);
  }

  /** The error with which its stream has ended; `undefined` when it has not. */
  get broken(): { readonly error: unknown } | undefined {
    return this.brokenBy;
  }

  /** Whether a listener for a break exists. */
  protected get awaitsBreak(): boolean {
    return this.onBroken !== undefined;
  }

  /** @param listener receives the error with which the stream breaks, or has broken already */
  whenBroken(listener: (error: unknown) => void): void {
    this.onBroken = listener;
    if (this.brokenBy !== undefined) listener(this.brokenBy.error);
  }

  beginAttempt(): void {
    this.brokenBy = undefined;
    this.throwIfInterrupted();
    this.unfinished?.beginAttempt();
  }

  /**
   * Prepares another run of the stages inside `level`; forgets the last attempt's answer.
   *
   * @param keepsWork whether a stage outside `level` has to know when the abandoned work ends
   */
  beginAgain(level: number, keepsWork: boolean): void {
    this.attempt += 1;
    this.unfinished?.beginAgain(level, keepsWork);
    this.source = 'live';
    this.ageMs = undefined;
    this.answered = undefined;
  }
}

/** The number of the call that was the last to get one, in any copy of the package: channels have the events of all. */
const counter = shared('call-counter', () => ({ last: 0 }));

/**
 * Turns a thenable into a promise. Call it once, where the work begins: each `then()` of a query builder sends its
 * query again.
 */
export function adopt(result: unknown): unknown {
  return isPromiseLike(result) ? Promise.resolve(result) : result;
}
