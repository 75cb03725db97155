/** A bulkhead at one moment. */
export interface BulkheadSnapshot {
  /** The name in the registry. */
  readonly name: string;
  /** Calls that may run at a time. */
  readonly maxConcurrent: number;
  /** Calls that may wait. */
  readonly maxQueue: number;
  /** Calls that hold a place, including abandoned ones whose work has not ended. */
  readonly running: number;
  /** Calls that wait for a place. */
  readonly waiting: number;
  /** Calls rejected since the start. */
  readonly rejected: number;
}
