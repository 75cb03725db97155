import { isResilienceError } from '../../common/errors.js';
import type { Outcome } from '../../common/outcomes/outcome.js';
import { MetricEvent } from './metrics.js';

/** Failures that are counted apart, by the code of the error. */
const FAILURES: ReadonlyMap<string, MetricEvent> = new Map([['TIMEOUT', MetricEvent.timeout]]);

/** Calls that a policy has turned away, by the code of the error. */
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

/** How metrics count a call that a policy has turned away, with this error. */
export function rejectionEventOf(error: unknown): MetricEvent {
  const code = isResilienceError(error) ? error.code : '';
  return REJECTIONS.get(code) ?? MetricEvent.rejectedOtherwise;
}

/** How answering in a failed method's place has ended. */
export type AnswerOutcome = 'success' | 'failure' | 'rejected';

const ANSWERS: Readonly<Record<AnswerOutcome, MetricEvent>> = {
  success: MetricEvent.fallbackSuccess,
  failure: MetricEvent.fallbackFailure,
  rejected: MetricEvent.fallbackRejected,
};

/** How metrics count what became of a failure; `undefined` when there was none. */
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
