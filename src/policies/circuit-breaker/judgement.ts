import { show } from '../../common/options-reader.js';
import type { Outcome, OutcomeRule } from '../../common/outcome.js';
import type { BreakerCounts } from '../../telemetry/events.js';
import { eventOf } from '../../telemetry/metrics/event-of.js';
import { MetricEvent } from '../../telemetry/metrics/metrics.js';
import type { Ending } from './permit.js';

/*
 * Code of users' that is asked while a breaker decides, and what is done when it throws: nothing that it does must
 * cost the permit that the question is about.
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

/** @param complain told why its answer is none */
export function isReadyToTrip(
  readyToTrip: (counts: BreakerCounts) => boolean,
  counts: BreakerCounts,
  complain: (why: string) => void,
): boolean {
  let answer: unknown;
  try {
    answer = readyToTrip(counts);
  } catch (error) {
    quietly(() => complain(`threw ${show(error)}`));
    return false;
  }
  if (!(answer instanceof Promise)) return Boolean(answer);
  answer.catch(() => {});
  quietly(() => complain('gave a promise; it has to answer at once'));
  return false;
}

/** A logger that throws changes nothing. */
function quietly(tell: () => void): void {
  try {
    tell();
  } catch {
    // nobody is left who could be told
  }
}

/** What metrics count an admitted call as. */
export function measured(outcome: Outcome, error: unknown, ending: Ending): MetricEvent {
  if (ending === 'turned-away') return MetricEvent.bulkheadFull; // nothing else inside turns away
  if (ending === 'unseen') return MetricEvent.ignored;
  try {
    return eventOf(outcome, error);
  } catch {
    return eventOf(outcome, undefined);
  }
}
