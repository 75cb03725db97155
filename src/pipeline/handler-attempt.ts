import { isPromiseLike } from '../common/outcomes/look.js';
import { type Call, type Substitute, adopt } from './call.js';

/** An unwrapped method. */
type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * One attempt of a handler's call, which the handler's wrapper finds in its async context: the interceptor applies the
 * policies, so the wrapper runs the bare method, exactly once per attempt.
 */
export class HandlerAttempt {
  private claimed = false;
  /** Whether the method is certain to run: with other interceptors, the attempt may end before. */
  private pending = false;
  /** Whether the method has been called, or the substitute. */
  reached = false;
  private givenUp: { readonly error: unknown } | undefined = undefined;

  constructor(
    /** `undefined` when the attempt has ended. */
    private call: Call | undefined,
    private method: object | undefined,
    /** Runs instead of the method. */
    private substitute: Substitute | undefined,
    /** Whether other interceptors of the method may repeat its call. */
    private readonly repeatable = true,
  ) {}

  /** The signal of the attempt; `undefined` when the attempt has ended. */
  get signal(): AbortSignal | undefined {
    return this.call?.signal;
  }

  /** Whether a call of `method` is this attempt itself. A second call is a separate one. */
  claims(method: object): boolean {
    return this.method === method && !this.claimed;
  }

  /** Runs the bare method, or the substitute, of the {@link claims claimed} call. @throws when the attempt has been abandoned */
  run(original: Method, self: unknown, args: unknown[]): unknown {
    if (this.givenUp !== undefined) throw this.givenUp.error;
    this.claimed = this.reached = true;
    const { call, substitute } = this;
    if (substitute !== undefined) return substitute(self, args);
    const result = adopt(original.apply(self, args));
    if (isPromiseLike(result)) {
      call?.track(result);
      if (this.repeatable) this.watch(result);
    }
    return result;
  }

  private watch(result: PromiseLike<unknown>): void {
    this.pending = true;
    const ended = (): void => void (this.pending = false);
    result.then(ended, () => {
      ended();
      this.claimed = false; // another interceptor may repeat the call, within the same attempt
    });
  }

  /** Whether the method would continue without a waiting caller if the attempt ended now. */
  get isPending(): boolean {
    return this.pending;
  }

  /** Abandons the attempt: if the method is reached later, it must not run. */
  giveUp(error: unknown): void {
    this.givenUp ??= { error };
    this.call = undefined;
    this.substitute = undefined;
  }

  /** Ends the attempt: work that starts in its context later is independent, and keeps no part of it alive. */
  end(): void {
    this.call = undefined;
    this.substitute = undefined;
    if (this.givenUp === undefined) this.method = undefined;
  }
}
