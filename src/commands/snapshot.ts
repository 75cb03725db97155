import type { PolicySnapshots } from '../policies/snapshots.js';
import type { MetricsSnapshot } from '../telemetry/metrics/snapshot.js';

/** A command at one moment. */
export interface CommandSnapshot extends PolicySnapshots {
  /** The name of the command. */
  readonly name: string;
  /** Metrics of its recent calls. */
  readonly metrics: MetricsSnapshot;
}
