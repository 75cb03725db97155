import { printable } from '../../common/printable.js';
import type { StateChangeReason } from '../../telemetry/events.js';
import type { BreakerEnvironment } from './environment.js';
import { isReadyToTrip } from './judgement.js';
import type { BreakerSettings } from './options.js';
import type { Window } from './windows.js';

/** Keeps `failures ≥ rate · calls` true at equality despite floating point: 0.1 · 30 > 3. */
const EPSILON = 1e-9;

/** The reason to open a closed circuit after an outcome, if there is one. Does not throw. */
export function reasonToOpen(
  settings: BreakerSettings,
  window: Window,
  failed: boolean,
  now: number,
  name: string,
  { warn }: Pick<BreakerEnvironment, 'warn'>,
): StateChangeReason | undefined {
  const reason = reasonByNumbers(settings, window, failed, now);
  const { readyToTrip } = settings;
  if (reason !== undefined || readyToTrip === undefined) return reason;
  const complain = (why: string): void => warn(`circuit "${printable(name)}": readyToTrip ${why}`);
  return isReadyToTrip(readyToTrip, window.counts(now), complain) ? 'ready-to-trip' : undefined;
}

/**
 * Streaks are checked after failures, rates after every outcome: a success may be slow, or be the call that reaches
 * `minimumCalls`.
 */
function reasonByNumbers(
  settings: BreakerSettings,
  window: Window,
  failed: boolean,
  now: number,
): StateChangeReason | undefined {
  if (!failed && window.flawless) return undefined;
  const totals = window.totals(now);
  const { failureRate, slowCallRate, consecutiveFailures = Infinity, minimumCalls } = settings;
  if (failed && window.consecutiveFailures(totals) >= consecutiveFailures) {
    return 'consecutive-failures';
  }
  const ended = totals.successes + totals.failures;
  if (ended < minimumCalls) return undefined;
  if (failureRate !== undefined && totals.failures + EPSILON >= failureRate * ended) {
    return 'failure-rate';
  }
  if (slowCallRate !== undefined && totals.slow + EPSILON >= slowCallRate * ended) {
    return 'slow-call-rate';
  }
  return undefined;
}
