import { isResilienceError } from '../../common/errors.js';
import type { Outcome } from '../../common/outcomes/outcome.js';
import { MetricEvent } from './metrics.js';

/** Failures that are counted separately, by the code of the error. */
const FAILURES: ReadonlyMap<string, MetricEvent> = new Map([['TIMEOUT', MetricEvent.timeout]]);

/** Rejected calls, by the code of the error. */
const REJECTIONS: ReadonlyMap<string, MetricEvent> = new Map([
  ['CIRCUIT_OPEN', MetricEvent.circuitOpen],
  ['BULKHEAD_FULL', MetricEvent.bulkheadFull],
]);

/** How metrics count an admitted call. */
export function eventOf(outcome: Outcome, error: unknown): MetricEvent {
  const failure = isResilienceError(error) ? FAILURES.get(error.code) : undefined;
  if (failure !== undefined) return failure;
  if (outcome === 'success') return MetricEvent.success;
  return outcome === 'failure' ? MetricEvent.failure : MetricEvent.ignored;
}

/** How metrics count a call that a policy has rejected with this error. */
export function rejectionEventOf(error: unknown): MetricEvent {
  const code = isResilienceError(error) ? error.code : '';
  return REJECTIONS.get(code) ?? MetricEvent.rejectedOtherwise;
}

/** The ends of a fallback. */
export type AnswerOutcome = 'success' | 'failure' | 'rejected';

const ANSWERS: Readonly<Record<AnswerOutcome, MetricEvent>> = {
  success: MetricEvent.fallbackSuccess,
  failure: MetricEvent.fallbackFailure,
  rejected: MetricEvent.fallbackRejected,
};

/** How metrics count the fallback of a failed call, or its absence; `undefined` when the call did not fail. */
export function answerEventOf({
  answered,
  failed,
}: {
  readonly answered: { readonly by: AnswerOutcome } | undefined;
  readonly failed: boolean;
}): MetricEvent | undefined {
  if (answered !== undefined) return ANSWERS[answered.by];
  return failed ? MetricEvent.fallbackMissing : undefined;
}
