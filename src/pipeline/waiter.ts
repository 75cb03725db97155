/** Waits for an outcome: one of its two methods is called, like the callbacks of `then()`. */
export interface Waiter {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Passes the outcome of a promise to a waiter. */
export function tell(waiter: Waiter, outcome: PromiseLike<unknown>): void {
  void outcome.then(
    (result) => waiter.resolve(result),
    (error: unknown) => waiter.reject(error),
  );
}
