import type { Call } from '../pipeline/call.js';

/** Details of the current attempt, passed to a protected function. */
export interface CallContext {
  /** The name of the command or the pipeline. */
  readonly name: string;
  /** The attempt; the first is 1. */
  readonly attempt: number;
  /**
   * Aborted when the attempt has run out of time, the call has been cancelled or its caller has gone: pass it to
   * everything that the function waits for. Created on first access.
   */
  readonly signal: AbortSignal;
}

/** Belongs to one attempt, even when it has been abandoned and another one is running. */
export class AttemptContext implements CallContext {
  readonly attempt: number;
  private made: AbortSignal | undefined = undefined;
  private givenUp: { readonly error: unknown } | undefined = undefined;

  constructor(
    readonly name: string,
    private readonly call: Call,
  ) {
    this.attempt = call.attempt;
  }

  get signal(): AbortSignal {
    const { givenUp } = this;
    return (this.made ??=
      givenUp === undefined ? this.call.signal : AbortSignal.abort(givenUp.error));
  }

  giveUp(error: unknown): void {
    this.givenUp ??= { error };
  }
}
