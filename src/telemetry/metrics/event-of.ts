import { isResilienceError } from '../../common/errors.js';
import type { Outcome } from '../../common/outcomes/outcome.js';
import { MetricEvent } from './metrics.js';

/** How metrics count an admitted call. */
export function eventOf(outcome: Outcome, error: unknown): MetricEvent {
  if (isResilienceError(error, 'TIMEOUT')) return MetricEvent.timeout;
  if (outcome === 'success') return MetricEvent.success;
  return outcome === 'failure' ? MetricEvent.failure : MetricEvent.ignored;
}

/** By the code of the error. */
const REJECTIONS: ReadonlyMap<string, MetricEvent> = new Map([
  ['CIRCUIT_OPEN', MetricEvent.circuitOpen],
  ['BULKHEAD_FULL', MetricEvent.bulkheadFull],
]);

/** How metrics count a call that a policy has turned away, with this error. */
export function rejectionEventOf(error: unknown): MetricEvent {
  const code = isResilienceError(error) ? error.code : '';
  return REJECTIONS.get(code) ?? MetricEvent.rejectedOtherwise;
}

/** How a fallback has ended. */
export type FallbackOutcome = 'success' | 'failure' | 'rejected';

const FALLBACKS: Readonly<Record<FallbackOutcome, MetricEvent>> = {
  success: MetricEvent.fallbackSuccess,
  failure: MetricEvent.fallbackFailure,
  rejected: MetricEvent.fallbackRejected,
};

/** How metrics count what became of a failure; `undefined` when there was none. */
export function fallbackEventOf({
  answered,
  failed,
}: {
  readonly answered: { readonly by: FallbackOutcome } | undefined;
  readonly failed: boolean;
}): MetricEvent | undefined {
  if (answered !== undefined) return FALLBACKS[answered.by];
  return failed ? MetricEvent.fallbackMissing : undefined;
}
