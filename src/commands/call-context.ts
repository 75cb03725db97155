import type { Call } from '../pipeline/call.js';

/** What a protected function is told about the call that it carries out. */
export class CallContext {
  readonly #call: Call;

  /** @internal */
  constructor(
    /** What the command or the pipeline is called. */
    readonly name: string,
    call: Call,
  ) {
    this.#call = call;
  }

  /** The running attempt; the first is 1. */
  get attempt(): number {
    return this.#call.attempt;
  }

  /**
   * Aborted when the attempt has run out of time, the call has been cancelled or its caller has gone: hand it to
   * whatever the function waits for. Made when first asked for.
   */
  get signal(): AbortSignal {
    return this.#call.signal;
  }
}
