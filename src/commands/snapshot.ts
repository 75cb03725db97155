import type { BulkheadSnapshot } from '../policies/bulkhead/snapshot.js';
import type { BreakerSnapshot } from '../policies/circuit-breaker/snapshot.js';
import type { MetricsSnapshot } from '../telemetry/metrics/snapshot.js';

/** A command at one moment. */
export interface CommandSnapshot {
  readonly name: string;
  readonly metrics: MetricsSnapshot;
  /** The breaker that it passes; `undefined` when it has none, or one for each key. */
  readonly circuitBreaker: BreakerSnapshot | undefined;
  readonly bulkhead: BulkheadSnapshot | undefined;
  /** How long an attempt may take, milliseconds. */
  readonly attemptTimeoutMs: number | undefined;
  /** How many fallbacks may run at a time. */
  readonly maxConcurrentFallbacks: number | undefined;
}
