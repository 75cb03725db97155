import type { BreakerCounts, BreakerOverride, BreakerState } from '../../telemetry/events.js';
import type { MetricsSnapshot } from '../../telemetry/metrics/snapshot.js';
import type { BreakerSettings } from './options.js';

/** When a breaker opens, and for how long. */
export interface BreakerLimits {
  /** The number of ended calls from which rates are checked. */
  readonly minimumCalls: number;
  /** The share of failures that opens the circuit; `undefined` when that is not a condition. */
  readonly failureRate: number | undefined;
  /** The number of failures in a row that opens the circuit; `undefined` when that is not a condition. */
  readonly consecutiveFailures: number | undefined;
  /**
   * How long the circuit stays open, milliseconds. If it varies: the most recent open time since the circuit last closed;
   * until it opens again, the initial one, or `undefined` for a function, which has not been called yet.
   */
  readonly openForMs: number | undefined;
}

/** A breaker at one moment. */
export interface BreakerSnapshot {
  /** The name in the registry. */
  readonly name: string;
  /** Whether the state is this instance's, or the fleet's, by the first trip or by a quorum. */
  readonly scope: 'local' | 'shared' | 'quorum';
  /** The state by its own rules, regardless of an override. */
  readonly state: BreakerState;
  /** Whether the application is useless without the dependency, by the option `critical`. */
  readonly critical: boolean;
  /** The operator's override in force, if there is one. */
  readonly override: BreakerOverride | undefined;
  /** The counts by which it decides. */
  readonly counts: BreakerCounts;
  /** Failures among the ended calls of the window, 0 to 1; 0 when there are none. */
  readonly failureRate: number;
  /** Slow calls among the ended calls of the window, 0 to 1; 0 when there are none. */
  readonly slowCallRate: number;
  /** Rises with each change of state, each reset and each end of a `resetInterval`. */
  readonly generation: number;
  /** How long it has been in this state, milliseconds. */
  readonly stateForMs: number;
  /** How long it has been in each state since the start, milliseconds. */
  readonly timeInStateMs: Readonly<Record<BreakerState, number>>;
  /** Milliseconds until probes are admitted; `undefined` unless it is open. */
  readonly retryAfterMs: number | undefined;
  /** Admitted calls of this generation whose outcome is not known yet. */
  readonly running: number;
  /** Calls rejected since the start. */
  readonly rejected: number;
  /** Outcomes that came too late to count (of an older generation, or after their time), since the start. */
  readonly stale: number;
  /** When it opens, and for how long. */
  readonly limits: BreakerLimits;
  /** Outcomes, concurrency and latencies of recent calls, whatever the state. */
  readonly metrics: MetricsSnapshot;
}

/** The part of a snapshot that takes little time to make. */
export interface BreakerReading extends Pick<
  BreakerSnapshot,
  'state' | 'override' | 'failureRate' | 'slowCallRate' | 'timeInStateMs'
> {
  /** Calls that were judged since the start, whatever the state. */
  readonly judged: number;
  /** The slow ones among them. */
  readonly slow: number;
}

/** Adds the derived values: rates and limits. */
export function snapshotOf(
  { critical, minimumCalls, failureRate, consecutiveFailures, sharing }: BreakerSettings,
  openForMs: number | undefined,
  known: Omit<BreakerSnapshot, 'scope' | 'critical' | 'failureRate' | 'slowCallRate' | 'limits'>,
): BreakerSnapshot {
  return {
    ...known,
    scope: scopeOf(sharing),
    critical,
    ...ratesOf(known.counts),
    limits: { minimumCalls, failureRate, consecutiveFailures, openForMs },
  };
}

function scopeOf(sharing: BreakerSettings['sharing']): BreakerSnapshot['scope'] {
  if (sharing === undefined) return 'local';
  return sharing.quorum === undefined ? 'shared' : 'quorum';
}

/** The rates among the ended calls; 0 when there are none. */
export function ratesOf({
  successes,
  failures,
  slow,
}: BreakerCounts): Pick<BreakerSnapshot, 'failureRate' | 'slowCallRate'> {
  const ended = successes + failures;
  return {
    failureRate: ended === 0 ? 0 : failures / ended,
    slowCallRate: ended === 0 ? 0 : slow / ended,
  };
}
