/** Waits for an outcome: one of its methods is called, as one of the two functions of a promise would be. */
export interface Waiter {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}
