/** Waits for an outcome: one of its methods is called, as one of the two functions of a promise would be. */
export interface Waiter {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Tells a waiter the outcome of a promise. */
export function tell(waiter: Waiter, outcome: PromiseLike<unknown>): void {
  void outcome.then(
    (result) => waiter.resolve(result),
    (error: unknown) => waiter.reject(error),
  );
}
