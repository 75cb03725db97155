import type { BulkheadSnapshot } from './bulkhead/snapshot.js';
import type { BreakerSnapshot } from './circuit-breaker/snapshot.js';

/** The policies of a command at one moment. */
export interface PolicySnapshots {
  /** Its circuit breaker; `undefined` when it has none, or one per key. */
  readonly circuitBreaker: BreakerSnapshot | undefined;
  /** Its bulkhead; `undefined` when it has none, or one per key. */
  readonly bulkhead: BulkheadSnapshot | undefined;
  /** The time limit of an attempt, milliseconds; `undefined` when it has none. */
  readonly attemptTimeoutMs: number | undefined;
  /** How many fallbacks may run at a time; `undefined` when there is no limit. */
  readonly maxConcurrentFallbacks: number | undefined;
}

/** The snapshots of a command without policies. */
export const noSnapshots: PolicySnapshots = {
  circuitBreaker: undefined,
  bulkhead: undefined,
  attemptTimeoutMs: undefined,
  maxConcurrentFallbacks: undefined,
};
