import type { PipelineDescription } from '../pipeline/description.js';
import { handlerLabels } from '../policies/fallback/handler-label.js';
import type { BreakerState, ExhaustionReason } from '../telemetry/events.js';
import { RECOVERED, type Recorder } from './recorder.js';

const OUTCOMES = ['success', 'failure', 'ignored', 'rejected'] as const;

const REASONS: Readonly<Record<ExhaustionReason, true>> = {
  'max-retries': true,
  'max-elapsed-time': true,
  deadline: true,
  'circuit-open': true,
  backoff: true,
  answered: true,
  shutdown: true,
};

/** The changes of state that happen by themselves; a reset may cause others. */
const TRANSITIONS: readonly (readonly [from: BreakerState, to: BreakerState])[] = [
  ['closed', 'open'],
  ['open', 'half-open'],
  ['half-open', 'open'],
  ['half-open', 'closed'],
];

/**
 * Makes the series of a method, command or pipeline before its first call: a counter that appears with a 1 has no increase
 * that an alert could see.
 */
export function beginSubject(
  { stages, policies }: PipelineDescription,
  name: string,
  { counters, histograms }: Recorder,
): void {
  const optionsOf = (kind: string): Readonly<Record<string, unknown>> | undefined =>
    policies.find((policy) => policy.kind === kind)?.options;
  for (const outcome of OUTCOMES) {
    counters.calls.at(name, outcome, 'live');
    histograms.callDuration.at(name, outcome);
  }
  counters.attempts.at(name);
  if (optionsOf('retry') !== undefined) {
    counters.retries.at(name);
    for (const result of [RECOVERED, ...Object.keys(REASONS)]) {
      counters.retryResults.at(name, result);
    }
  }
  if (stages.includes('attempt timeout')) counters.timeouts.at(name, 'attempt');
  if (stages.includes('total timeout')) counters.timeouts.at(name, 'total');
  const fallback = optionsOf('fallback');
  if (fallback === undefined) return;
  const handlers = handlerLabels(fallback.handler as Parameters<typeof handlerLabels>[0]);
  counters.calls.at(name, 'success', 'fallback');
  counters.rejections.at(name, 'FALLBACK_FULL', 'false');
  for (const handler of handlers) {
    counters.fallbacks.at(name, handler, 'success');
    counters.fallbacks.at(name, handler, 'failure');
  }
  if (!handlers.includes('staleIfError')) return;
  counters.calls.at(name, 'success', 'stale');
  histograms.staleAge.at(name);
  counters.cacheErrors.at(name, 'read');
  counters.cacheErrors.at(name, 'write');
}

/** The same for a circuit breaker. */
export function beginBreaker(name: string, { counters }: Recorder): void {
  counters.rejections.at(name, 'CIRCUIT_OPEN', 'false');
  counters.rejections.at(name, 'CIRCUIT_OPEN', 'true');
  for (const [from, to] of TRANSITIONS) counters.breakerTransitions.at(name, from, to);
  counters.breakerProbes.at(name, 'success');
  counters.breakerProbes.at(name, 'failure');
}

/** The same for a rate limit. */
export function beginRateLimit(name: string, { counters, histograms }: Recorder): void {
  counters.rejections.at(name, 'RATE_LIMITED', 'false');
  histograms.rateLimitWait.at(name);
}

/** The same for a bulkhead. */
export function beginBulkhead(name: string, { counters, histograms }: Recorder): void {
  counters.rejections.at(name, 'BULKHEAD_FULL', 'false');
  histograms.bulkheadWait.at(name);
}
