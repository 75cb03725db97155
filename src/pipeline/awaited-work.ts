type Tell = (value: unknown) => void;

/**
 * Work that tells its end to the call that waits for it without a promise, which would be one more per call. It makes one for
 * anybody else.
 */
export abstract class AwaitedWork implements PromiseLike<unknown> {
  readonly #brand = true;
  private promise: Promise<unknown> | undefined = undefined;
  private onResult: Tell | undefined = undefined;
  private onError: Tell | undefined = undefined;
  private state: 'resolved' | 'rejected' | undefined = undefined;
  /** The result or the error. */
  private outcome: unknown = undefined;

  /** Like `instanceof`, which may throw if the work is a proxy. */
  static is(work: unknown): work is AwaitedWork {
    return typeof work === 'object' && work !== null && #brand in work;
  }

  /** Calls one of a promise's two functions when it ends, or at once if it has ended. Only the last pair is called. */
  settle(resolve: Tell, reject: Tell): void {
    if (this.state === 'resolved') return resolve(this.outcome);
    if (this.state === 'rejected') return reject(this.outcome);
    this.onResult = resolve;
    this.onError = reject;
  }

  then<Result = unknown, Rejected = never>(
    onResult?: ((value: unknown) => Result | PromiseLike<Result>) | null,
    onError?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Result | Rejected> {
    this.promise ??= this.asPromise();
    return this.promise.then(onResult, onError);
  }

  protected resolve(value: unknown): void {
    this.end('resolved', value, this.onResult);
  }

  protected reject(error: unknown): void {
    this.end('rejected', error, this.onError);
  }

  private end(how: 'resolved' | 'rejected', outcome: unknown, tell: Tell | undefined): void {
    if (this.state !== undefined) return;
    this.state = how;
    this.outcome = outcome;
    this.onResult = undefined;
    this.onError = undefined;
    tell?.(outcome);
  }

  private asPromise(): Promise<unknown> {
    const { onResult, onError } = this;
    return new Promise((resolve, reject) => {
      this.settle(
        (value) => {
          onResult?.(value);
          resolve(value);
        },
        (error) => {
          onError?.(error);
          reject(error);
        },
      );
    });
  }
}
