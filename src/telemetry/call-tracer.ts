/** Runs calls and their attempts in its own async contexts, such as those of spans. At most one per application. */
export interface CallTracer {
  /** Runs a call. @param callId as in its events */
  aroundCall<T>(name: string, callId: number, run: () => T): T;
  /** Runs an attempt of a call: the protected work, once. */
  aroundAttempt<T>(callId: number, attempt: number, run: () => T): T;
}
