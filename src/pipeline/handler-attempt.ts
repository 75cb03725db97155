import { type Call, type Substitute, adopt } from './call.js';

/** A method as it was written. */
type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * One attempt of a handler's call, as the handler's wrapper finds it in its async context: the interceptor applies the
 * policies, so the wrapper steps aside, exactly once for each attempt.
 */
export class HandlerAttempt {
  private claimed = false;
  private givenUp: { readonly error: unknown } | undefined = undefined;

  constructor(
    /** Until the attempt has ended. */
    private call: Call | undefined,
    private method: object | undefined,
    /** Runs instead of the method. */
    private substitute: Substitute | undefined,
  ) {}

  /** The signal of the attempt; `undefined` when it has ended. */
  get signal(): AbortSignal | undefined {
    return this.call?.signal;
  }

  /** Whether a call of `method` is this attempt itself. A second one is a call of its own. */
  claims(method: object): boolean {
    return this.method === method && !this.claimed;
  }

  /** Runs the method that has been {@link claims claimed}, bare. @throws when the attempt has been given up */
  run(original: Method, self: unknown, args: unknown[]): unknown {
    if (this.givenUp !== undefined) throw this.givenUp.error;
    this.claimed = true;
    const { call, substitute } = this;
    if (substitute !== undefined) return substitute(self, args);
    const result = adopt(original.apply(self, args));
    call?.track(result, () => {
      this.claimed = false; // an inner interceptor may repeat it: in the same attempt
    });
    return result;
  }

  /** The caller does not wait any more: should the method be reached late, it must not run. */
  giveUp(error: unknown): void {
    this.givenUp ??= { error };
    this.call = undefined;
    this.substitute = undefined;
  }

  /** Work that is begun in its context later is on its own, and keeps nothing of it alive. */
  end(): void {
    this.call = undefined;
    this.substitute = undefined;
    if (this.givenUp === undefined) this.method = undefined;
  }
}
