import type { PolicySnapshots } from '../policies/snapshots.js';
import type { MetricsSnapshot } from '../telemetry/metrics/snapshot.js';

/** A command at one moment. */
export interface CommandSnapshot extends PolicySnapshots {
  readonly name: string;
  readonly metrics: MetricsSnapshot;
}
