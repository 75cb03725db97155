import { AsyncResource } from 'node:async_hooks';
import { isOwnFailure } from '../common/outcomes/default-outcome.js';
import { type SignalLike, obey } from './abort-signals.js';

/** Why a call stops waiting for what it waits for, and how far outwards it unwinds. */
interface Interruption {
  /** The stage that stopped it: what is inside this level is given up. {@link WHOLE_CALL} gives up all. */
  readonly level: number;
  readonly error: unknown;
  /** Tells of it, until it has been told. */
  tell: (() => void) | undefined;
}

/** The signal of an attempt. */
interface Signalled {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

function makeSignal(): Signalled {
  const controller = new AbortController();
  // Whoever listens hears of it in the caller's async context, not in that of the timer that ran out.
  const abort = AsyncResource.bind((reason: unknown) => controller.abort(reason));
  return { signal: controller.signal, abort };
}

/** The level of an interruption that no stage may answer: the caller has gone. */
const WHOLE_CALL = -1;

/**
 * Work that can be stopped before its end: by a stage whose time is over, or by its caller. Only what is
 * {@link interruptible} pays for it: the others await their work directly.
 */
export abstract class Interruptible {
  /** Whether anything may stop it before its work ends. */
  interruptible = false;
  /** Called when the current wait is interrupted. */
  onInterrupt: ((error: unknown) => void) | undefined = undefined;
  /** Whether its outcome is decided. */
  protected finished = false;

  private interruption: Interruption | undefined = undefined;
  private interruptWait: ((error: unknown) => void) | undefined = undefined;
  private signalled: Signalled | undefined = undefined;
  private endings: (() => void)[] | undefined = undefined;

  /**
   * Aborted when the attempt has run out of time or the caller has gone. Made when first asked for; an attempt
   * after an aborted one gets a new signal.
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

  /** Whether it was stopped from outside and not for being slow: its outcome says nothing about anybody. */
  get cancelled(): boolean {
    const { interruption } = this;
    return interruption?.level === WHOLE_CALL && !isOwnFailure(interruption.error);
  }

  /** Gives up what is inside `level`, with `error` as its outcome. */
  interrupt(level: number, error: unknown): void {
    if (this.finished) return;
    if (this.interruption !== undefined && this.interruption.level <= level) return;
    this.interruption = { level, error, tell: undefined };
    const { signalled } = this;
    this.signalled = undefined;
    this.interruptWait?.(error);
    try {
      this.onInterrupt?.(error);
    } catch {
      // a teardown of the user's that throws must not keep the rest from ending
    }
    signalled?.abort(error);
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

  /** Waits for `work`, or for an interruption; what the work does after that is nobody's concern. */
  interruptibly<T>(work: T | PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.interruptWait = reject;
      if (this.interruption !== undefined) reject(this.interruption.error);
      Promise.resolve(work).then(resolve, reject);
    });
  }

  /** A signal of the caller's stops the call. */
  obey(signal: SignalLike): void {
    this.interruptible = true;
    this.atEnd(obey(signal, this));
  }

  /** The outcome is decided: nothing stops the call any more. */
  close(): void {
    this.finished = true;
  }

  /** The call is over: lets go of everything outside of it. */
  finish(): void {
    this.close();
    this.interruptWait = undefined;
    this.signalled = undefined;
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
