import type { Pulse } from '../../common/pulse.js';
import { show } from '../../common/printable.js';
import { isPromiseLike, swallow } from '../../common/outcomes/look.js';
import type { Outcome, OutcomeRule } from '../../common/outcomes/outcome.js';
import type { BreakerCounts } from '../../telemetry/events.js';
import { eventOf, rejectionEventOf } from '../../telemetry/metrics/event-of.js';
import { MetricEvent } from '../../telemetry/metrics/metrics.js';
import type { BreakerSettings } from './options.js';
import type { Ending, Permit } from './permit.js';

/*
 * Calls of user code while a breaker decides. Whatever that code does, the permit in question must not be lost.
 */

export function outcomeOfError(rule: OutcomeRule, error: unknown): Outcome {
  try {
    return rule.ofError(error);
  } catch {
    return 'failure';
  }
}

export function outcomeOfResult(rule: OutcomeRule, result: unknown): Outcome {
  try {
    return rule.ofResult(result);
  } catch {
    return 'success';
  }
}

/** @param complain called with the reason when the answer is not usable */
export function isReadyToTrip(
  readyToTrip: (counts: BreakerCounts) => boolean,
  counts: BreakerCounts,
  complain: (why: string) => void,
): boolean {
  let answer: unknown;
  try {
    answer = readyToTrip(counts);
  } catch (error) {
    complain(`threw ${show(error)}`);
    return false;
  }
  if (!isPromiseLike(answer)) return Boolean(answer);
  swallow(answer);
  complain('returned a promise; it must answer synchronously');
  return false;
}

/** Whether a call that ends now was slow, not counting time in which the process could not run. */
export function isSlow(
  { admittedAt }: Permit,
  now: number,
  { slowCallDuration }: BreakerSettings,
  pulse: Pulse | undefined,
): boolean {
  const took = now - admittedAt;
  return took > slowCallDuration && took - (pulse?.lost(admittedAt, now) ?? 0) > slowCallDuration;
}

/** How metrics count an admitted call. */
export function measured(outcome: Outcome, error: unknown, ending: Ending): MetricEvent {
  return outcome === 'success' && error === undefined && ending === 'seen'
    ? MetricEvent.success
    : eventOfEnding(outcome, error, ending);
}

function eventOfEnding(outcome: Outcome, error: unknown, ending: Ending): MetricEvent {
  if (ending === 'turned-away') return rejectionEventOf(error);
  if (ending === 'unseen') return MetricEvent.ignored;
  try {
    return eventOf(outcome, error);
  } catch {
    return eventOf(outcome, undefined);
  }
}
