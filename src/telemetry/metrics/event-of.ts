import { isResilienceError } from '../../common/errors.js';
import type { Outcome } from '../../common/outcomes/outcome.js';
import { MetricEvent } from './metrics.js';

/** What metrics count a call as that was let in. */
export function eventOf(outcome: Outcome, error: unknown): MetricEvent {
  if (isResilienceError(error, 'TIMEOUT')) return MetricEvent.timeout;
  if (outcome === 'success') return MetricEvent.success;
  return outcome === 'failure' ? MetricEvent.failure : MetricEvent.ignored;
}
