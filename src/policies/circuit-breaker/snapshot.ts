import type { BreakerCounts, BreakerOverride, BreakerState } from '../../telemetry/events.js';
import type { MetricsSnapshot } from '../../telemetry/metrics/snapshot.js';
import type { BreakerSettings } from './options.js';

/** When a breaker opens, and for how long. */
export interface BreakerLimits {
  /** From how many ended calls on rates are looked at. */
  readonly minimumCalls: number;
  /** The share of failures that opens; `undefined` when that is not a condition. */
  readonly failureRate: number | undefined;
  /** How many failures in a row open; `undefined` when that is not a condition. */
  readonly consecutiveFailures: number | undefined;
  /**
   * How long it stays open, milliseconds; when that varies, how long it was or will be for the first time, and
   * `undefined` when that is not known yet.
   */
  readonly openForMs: number | undefined;
}

/** A breaker at one moment. */
export interface BreakerSnapshot {
  /** The name in the registry. */
  readonly name: string;
  /** The state that its own rules have led to. */
  readonly state: BreakerState;
  /** The operator's decision that is in force, if there is one. */
  readonly override: BreakerOverride | undefined;
  /** The calls that its rules look at. */
  readonly counts: BreakerCounts;
  /** Failures among the ended calls of the window, 0 to 1; 0 when there are none. */
  readonly failureRate: number;
  /** Slow calls among the ended calls of the window, 0 to 1; 0 when there are none. */
  readonly slowCallRate: number;
  /** Rises with each change of state and each reset. */
  readonly generation: number;
  /** How long it has been in this state, milliseconds. */
  readonly stateForMs: number;
  /** How long it has been in each state since the start, milliseconds. */
  readonly timeInStateMs: Readonly<Record<BreakerState, number>>;
  /** Open: milliseconds until probes are admitted. */
  readonly retryAfterMs: number | undefined;
  /** Admitted calls of this generation whose outcome is not known yet. */
  readonly running: number;
  /** Calls turned away since the start. */
  readonly rejected: number;
  /** Outcomes that came too late to count (of an older generation, or after their time), since the start. */
  readonly stale: number;
  /** The rules, as numbers. */
  readonly limits: BreakerLimits;
  /** How the calls of the last while went, whatever the state. */
  readonly metrics: MetricsSnapshot;
}

/** Derived values: rates and limits. */
export function snapshotOf(
  { minimumCalls, failureRate, consecutiveFailures }: BreakerSettings,
  openForMs: number | undefined,
  known: Omit<BreakerSnapshot, 'failureRate' | 'slowCallRate' | 'limits'>,
): BreakerSnapshot {
  const { successes, failures, slow } = known.counts;
  const ended = successes + failures;
  return {
    ...known,
    failureRate: ended === 0 ? 0 : failures / ended,
    slowCallRate: ended === 0 ? 0 : slow / ended,
    limits: { minimumCalls, failureRate, consecutiveFailures, openForMs },
  };
}
