import type { BreakerCounts, BreakerOverride, BreakerState } from '../../telemetry/events.js';

/** A breaker at one moment. */
export interface BreakerSnapshot {
  readonly name: string;
  readonly state: BreakerState;
  readonly override: BreakerOverride | undefined;
  readonly counts: BreakerCounts;
  /** Failures among the ended calls of the window, 0 to 1; 0 when there are none. */
  readonly failureRate: number;
  /** Slow calls among the ended calls of the window, 0 to 1; 0 when there are none. */
  readonly slowCallRate: number;
  /** Rises with each change of state and each reset. */
  readonly generation: number;
  /** How long it has been in this state, milliseconds. */
  readonly stateForMs: number;
  /** Open: milliseconds until probes are admitted. */
  readonly retryAfterMs: number | undefined;
  /** Admitted calls of this generation whose outcome is not known yet. */
  readonly running: number;
  /** Calls turned away since the start. */
  readonly rejected: number;
  /** Outcomes that came too late to count (of an older generation, or after their time), since the start. */
  readonly stale: number;
}
