import { soon } from '../common/soon.js';
import { type Waiter, tell } from './waiter.js';

/**
 * Work that reports its end to the waiting call without a promise, which would be one more per call. It makes one for
 * other waiters.
 */
export abstract class AwaitedWork implements PromiseLike<unknown> {
  readonly #brand = true;
  private promise: Promise<unknown> | undefined = undefined;
  private waiter: Waiter | undefined = undefined;
  /** Of {@link promise}. */
  private others: Waiter | undefined = undefined;
  private state: 'resolved' | 'rejected' | undefined = undefined;
  /** The result or the error. */
  private outcome: unknown = undefined;

  /** Like `instanceof`, which may throw if the work is a proxy. */
  static is(work: unknown): work is AwaitedWork {
    return typeof work === 'object' && work !== null && #brand in work;
  }

  /** Reports the end to `waiter`, at once if it has ended. Only the last waiter gets it. */
  tell(waiter: Waiter): void {
    if (this.state === 'resolved') waiter.resolve(this.outcome);
    else if (this.state === 'rejected') waiter.reject(this.outcome);
    else this.waiter = waiter;
  }

  then<Result = unknown, Rejected = never>(
    onResult?: ((value: unknown) => Result | PromiseLike<Result>) | null,
    onError?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Result | Rejected> {
    this.promise ??= this.asPromise();
    return this.promise.then(onResult, onError);
  }

  /** Ends the work; if the result is a promise, when that settles. */
  protected resolve(result: unknown): void {
    if (promisesWaitFor(result)) {
      tell(
        { resolve: (value) => this.end('resolved', value), reject: (error) => this.fail(error) },
        new Promise((resolve) => resolve(result)),
      );
    } else this.end('resolved', result);
  }

  /** Ends the work a microtask later: never inside the function of a source that reports its error, or of an interrupter. */
  protected reject(error: unknown): void {
    soon(() => this.fail(error));
  }

  private fail(error: unknown): void {
    this.end('rejected', error);
  }

  private end(how: 'resolved' | 'rejected', outcome: unknown): void {
    if (this.state !== undefined) return;
    this.state = how;
    this.outcome = outcome;
    const { waiter, others } = this;
    this.waiter = undefined;
    this.others = undefined;
    if (others !== undefined) this.tell(others);
    if (waiter !== undefined) this.tell(waiter);
  }

  private asPromise(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const promise = { resolve, reject };
      if (this.state === undefined) this.others = promise;
      else this.tell(promise);
    });
  }
}

/** Whether a promise that resolves to it waits for it, or fails because it cannot be inspected. */
function promisesWaitFor(value: unknown): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return true;
  }
}
