import { inThisContext } from '../common/async-context.js';
import { soon } from '../common/soon.js';
import { isOwnFailure } from '../common/outcomes/default-outcome.js';
import { type SignalLike, obey } from './abort-signals.js';
import { AwaitedWork } from './awaited-work.js';
import { CallState, type Signalled, type Stoppable } from './call-state.js';
import type { Waiter } from './waiter.js';

function makeSignal(): Signalled {
  const controller = new AbortController();
  // Listeners run in the caller's async context, not in that of the timer that has fired.
  const abort = inThisContext((reason: unknown) => controller.abort(reason));
  return { signal: controller.signal, abort };
}

/** The level of an interruption that no stage may answer: the caller has gone. */
const WHOLE_CALL = -1;

/**
 * A call that can be stopped before its work ends: by a timeout stage, or by its caller. Only {@link interruptible} calls
 * pay for this: others await their work directly.
 */
export abstract class Interruptible extends CallState {
  /**
   * Aborted when the attempt has run out of time or the caller has gone. Created on first access; an attempt after an
   * aborted one gets a new signal.
   */
  get signal(): AbortSignal {
    if (this.interruption !== undefined) return AbortSignal.abort(this.interruption.error);
    return (this.signalled ??= makeSignal()).signal;
  }

  /** The caller has gone: stops the call, whatever it waits for; `reason` becomes its error. */
  abort(reason: unknown): void {
    this.interrupt(WHOLE_CALL, reason);
  }

  get interrupted(): boolean {
    return this.interruption !== undefined;
  }

  /** Whether its caller has stopped it, and not because it was slow: the outcome says nothing about the dependency. */
  get cancelled(): boolean {
    const { interruption } = this;
    return interruption?.level === WHOLE_CALL && !isOwnFailure(interruption.error);
  }

  /** Abandons everything inside `level`, with `error` as its outcome. */
  interrupt(level: number, error: unknown): void {
    if (this.finished) return;
    if (this.interruption !== undefined && this.interruption.level <= level) return;
    this.interruption = { level, error, emit: undefined };
    const { signalled } = this;
    this.signalled = undefined;
    this.interruptWait?.(error);
    this.stopWaiting(error);
    const { callerContext, stoppable } = this;
    try {
      // Regardless of who interrupts the call, the teardown of its work runs in the context of its caller.
      if (callerContext === undefined) stoppable?.stop(error);
      else callerContext.runInAsyncScope(() => stoppable?.stop(error));
    } catch {
      // a user's teardown that throws must not keep the rest from ending
    }
    signalled?.abort(error);
  }

  /** Calls `emit` when the call continues with `error`, in the call's own async context. */
  whenInterruptedBy(error: unknown, emit: () => void): void {
    const { interruption } = this;
    if (interruption !== undefined && interruption.error === error) interruption.emit = emit;
  }

  /** Whether a stage at `level` is inside an interruption, so that it is being abandoned. */
  isGivenUp(level: number): boolean {
    return this.interruption !== undefined && this.interruption.level < level;
  }

  /** Call it when unwinding has reached `level`: ends the interruption if that stage caused it. */
  resumeAt(level: number): void {
    if (this.interruption?.level === level) this.interruption = undefined;
  }

  /** Throws when the call has been interrupted. */
  throwIfInterrupted(): void {
    if (this.interruption !== undefined) throw this.interruption.error;
  }

  /** The error to continue with: that of the interruption, if there is one, whatever else has failed meanwhile. */
  reasonOr(error: unknown): unknown {
    const { interruption } = this;
    if (interruption === undefined) return error;
    const { emit } = interruption;
    interruption.emit = undefined;
    emit?.();
    return interruption.error;
  }

  /** Waits for `work` or an interruption; a later outcome of the work is dropped. */
  interruptibly<T>(work: T | PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.interruptWait = reject;
      if (this.interruption !== undefined) reject(this.interruption.error);
      if (AwaitedWork.is(work)) work.tell({ resolve, reject });
      else Promise.resolve(work).then(resolve, reject);
    });
  }

  /**
   * The same without a promise: reports the end of the work, or an interruption, to `waiter`. An interruption is reported a
   * microtask later, when the signal has aborted and the work has been stopped.
   */
  waitFor(work: AwaitedWork, waiter: Waiter): void {
    this.waiting = waiter;
    if (this.interruption !== undefined) this.stopWaiting(this.interruption.error);
    work.tell(waiter);
  }

  private stopWaiting(error: unknown): void {
    const { waiting } = this;
    if (waiting === undefined) return;
    this.waiting = undefined;
    soon(() => waiting.reject(error));
  }

  /** Lets an interruption end some work early: at once, if the call has been interrupted already. */
  stopWith(stoppable: Stoppable): void {
    this.stoppable = stoppable;
    if (this.interruption !== undefined) stoppable.stop(this.interruption.error);
  }

  /** Lets a signal of the caller stop the call. */
  obey(signal: SignalLike): void {
    this.interruptible = true;
    this.atEnd(obey(signal, this));
  }

  /** Call it when the outcome is decided: from now on nothing stops the call. */
  close(): void {
    this.finished = true;
  }

  /** Call it when the call is over: drops all references to things outside it. */
  finish(): void {
    this.close();
    this.interruptWait = undefined;
    this.waiting = undefined;
    this.signalled = undefined;
    const { endings } = this;
    if (endings === undefined) return;
    this.endings = undefined;
    for (const ending of endings) ending();
  }

  /** Calls `ending` when the call is over; with a stream as the result, that is later than the end of the pipeline. */
  atEnd(ending: () => void): void {
    (this.endings ??= []).push(ending);
  }
}
