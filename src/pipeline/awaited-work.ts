import type { Waiter } from './waiter.js';

/** Its callbacks run in the next microtask. Cheaper than `queueMicrotask()`, which creates an async resource. */
export const soon = Promise.resolve();

/**
 * Work that tells its end to the call that waits for it without a promise, which would be one more per call. It makes one for
 * anybody else.
 */
export abstract class AwaitedWork implements PromiseLike<unknown> {
  readonly #brand = true;
  private promise: Promise<unknown> | undefined = undefined;
  private waiter: Waiter | undefined = undefined;
  /** Of {@link promise}: told the end, whoever has given up waiting. */
  private others: Waiter | undefined = undefined;
  private state: 'resolved' | 'rejected' | undefined = undefined;
  /** The result or the error. */
  private outcome: unknown = undefined;

  /** Like `instanceof`, which may throw if the work is a proxy. */
  static is(work: unknown): work is AwaitedWork {
    return typeof work === 'object' && work !== null && #brand in work;
  }

  /** Tells `waiter` the end, at once if it has ended. Only the last waiter is told. */
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

  /** Ends it; if the result is a promise, when that ends. */
  protected resolve(result: unknown): void {
    if (!isThenable(result)) return this.end('resolved', result);
    new Promise((resolve) => resolve(result)).then(
      (value) => this.end('resolved', value),
      (error: unknown) => this.end('rejected', error),
    );
  }

  protected reject(error: unknown): void {
    this.end('rejected', error);
  }

  /**
   * To be called when its call has been interrupted: the waiter does not wait any longer, but the work goes on. The waiter is
   * told a microtask later, after the signal of the call has aborted, and in the current async context.
   */
  protected giveUp(error: unknown): void {
    void soon.then(() => {
      const { waiter } = this;
      this.waiter = undefined;
      waiter?.reject(error);
    });
  }

  private end(how: 'resolved' | 'rejected', outcome: unknown): void {
    if (this.state !== undefined) return;
    this.state = how;
    this.outcome = outcome;
    const { waiter, others } = this;
    this.waiter = undefined;
    this.others = undefined;
    if (waiter !== undefined) this.tell(waiter);
    if (others !== undefined) this.tell(others);
  }

  private asPromise(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const promise = { resolve, reject };
      if (this.state === undefined) this.others = promise;
      else this.tell(promise);
    });
  }
}

/** Whether a promise would wait for it, or fail when it looks. */
function isThenable(value: unknown): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return true;
  }
}
