import type { Instrument } from './instrument.js';

/** Upper bounds for durations of calls and waits, seconds. */
const DURATIONS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

/** Upper bounds for the age of stale answers, seconds: up to a day. */
const AGES = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400] as const;

/**
 * All instruments. Exporters, the tables in the docs, dashboards and alert rules take names, units and labels from here.
 *
 * The label `name` is a method (`Class.method`), command or pipeline; of circuit breakers, rate limits and bulkheads, the
 * part's name; of the store, its kind.
 */
export const instruments = {
  calls: {
    kind: 'counter',
    name: 'resilience.calls',
    unit: '{call}',
    labels: ['name', 'outcome', 'source'],
    description: 'Ended calls, by outcome and by where the answer came from',
  },
  callDuration: {
    kind: 'histogram',
    name: 'resilience.call.duration',
    unit: 's',
    labels: ['name', 'outcome'],
    description: 'Duration of calls, all attempts and waits included',
    buckets: DURATIONS,
  },
  attempts: {
    kind: 'counter',
    name: 'resilience.attempts',
    unit: '{attempt}',
    labels: ['name'],
    description: 'Attempts of ended calls, the first and rejected ones included',
  },
  retries: {
    kind: 'counter',
    name: 'resilience.retries',
    unit: '{retry}',
    labels: ['name'],
    description: 'Retries that were scheduled',
  },
  retryResults: {
    kind: 'counter',
    name: 'resilience.retry.results',
    unit: '{call}',
    labels: ['name', 'result'],
    description:
      'Calls that a retry has saved (recovered), or that are not retried any more, by reason',
  },
  rejections: {
    kind: 'counter',
    name: 'resilience.rejections',
    unit: '{rejection}',
    labels: ['name', 'code', 'observed'],
    description: 'Rejections by policies; observed: the call was admitted anyway',
  },
  timeouts: {
    kind: 'counter',
    name: 'resilience.timeouts',
    unit: '{timeout}',
    labels: ['name', 'scope'],
    description: 'Attempts and calls that ran out of time',
  },
  breakerState: {
    kind: 'gauge',
    name: 'resilience.circuit_breaker.state',
    unit: '{breaker}',
    labels: ['name', 'state'],
    description: '1 for the state that the circuit breaker is in, 0 for the others',
  },
  breakerTransitions: {
    kind: 'counter',
    name: 'resilience.circuit_breaker.transitions',
    unit: '{transition}',
    labels: ['name', 'from', 'to'],
    description: 'Changes of state',
  },
  breakerTime: {
    kind: 'counter',
    name: 'resilience.circuit_breaker.time_in_state',
    unit: 's',
    labels: ['name', 'state'],
    description: 'Time that the circuit breaker has been in each state',
  },
  breakerCalls: {
    kind: 'counter',
    name: 'resilience.circuit_breaker.calls',
    unit: '{call}',
    labels: ['name', 'slow'],
    description: 'Calls that the circuit breaker has judged, by whether they were slow',
  },
  breakerProbes: {
    kind: 'counter',
    name: 'resilience.circuit_breaker.probes',
    unit: '{call}',
    labels: ['name', 'result'],
    description: 'Probes of half-open circuits by result, counted when the circuit closes or opens',
  },
  breakerFailureRatio: {
    kind: 'gauge',
    name: 'resilience.circuit_breaker.failure_ratio',
    unit: '1',
    labels: ['name'],
    description: 'Share of failures in the window of the circuit breaker, 0 to 1',
  },
  breakerSlowRatio: {
    kind: 'gauge',
    name: 'resilience.circuit_breaker.slow_call_ratio',
    unit: '1',
    labels: ['name'],
    description: 'Share of slow calls in the window of the circuit breaker, 0 to 1',
  },
  breakerOverride: {
    kind: 'gauge',
    name: 'resilience.circuit_breaker.override',
    unit: '{breaker}',
    labels: ['name', 'kind'],
    description: "1 for the operator's override in force, 0 for the others",
  },
  bulkheadLimit: {
    kind: 'gauge',
    name: 'resilience.bulkhead.limit',
    unit: '{call}',
    labels: ['name'],
    description: 'Calls that may run at a time',
  },
  bulkheadInUse: {
    kind: 'gauge',
    name: 'resilience.bulkhead.in_use',
    unit: '{call}',
    labels: ['name'],
    description: 'Calls that hold a place',
  },
  bulkheadWaiting: {
    kind: 'gauge',
    name: 'resilience.bulkhead.waiting',
    unit: '{call}',
    labels: ['name'],
    description: 'Calls that wait for a place',
  },
  bulkheadWait: {
    kind: 'histogram',
    name: 'resilience.bulkhead.wait.duration',
    unit: 's',
    labels: ['name'],
    description:
      'How long calls have waited for the place that they got; those that did not wait are left out',
    buckets: DURATIONS,
  },
  rateLimitCalls: {
    kind: 'counter',
    name: 'resilience.rate_limit.calls',
    unit: '{call}',
    labels: ['name'],
    description: 'Calls that the rate limit has admitted or rejected',
  },
  rateLimitBurst: {
    kind: 'gauge',
    name: 'resilience.rate_limit.burst',
    unit: '{call}',
    labels: ['name'],
    description: 'Calls that may come at once',
  },
  rateLimitRemaining: {
    kind: 'gauge',
    name: 'resilience.rate_limit.remaining',
    unit: '{call}',
    labels: ['name'],
    description: 'Calls that would be allowed now without a wait',
  },
  rateLimitWaiting: {
    kind: 'gauge',
    name: 'resilience.rate_limit.waiting',
    unit: '{call}',
    labels: ['name'],
    description: 'Calls that wait until they are allowed',
  },
  rateLimitWait: {
    kind: 'histogram',
    name: 'resilience.rate_limit.wait.duration',
    unit: 's',
    labels: ['name'],
    description:
      'How long calls have waited until they were allowed; those that did not wait are left out',
    buckets: DURATIONS,
  },
  fallbacks: {
    kind: 'counter',
    name: 'resilience.fallbacks',
    unit: '{fallback}',
    labels: ['name', 'handler', 'outcome'],
    description: 'Fallbacks that have answered (success) or have failed themselves, by handler',
  },
  staleAge: {
    kind: 'histogram',
    name: 'resilience.stale.age',
    unit: 's',
    labels: ['name'],
    description: 'Age of stale answers',
    buckets: AGES,
  },
  cacheErrors: {
    kind: 'counter',
    name: 'resilience.cache.errors',
    unit: '{error}',
    labels: ['name', 'operation'],
    description: 'Errors of the cache behind staleIfError()',
  },
  storeDegraded: {
    kind: 'gauge',
    name: 'resilience.store.degraded',
    unit: '{store}',
    labels: ['name'],
    description: '1 while the store of the fleet does not answer, 0 otherwise',
  },
  fleetInstances: {
    kind: 'gauge',
    name: 'resilience.fleet.instances',
    unit: '{instance}',
    labels: ['name'],
    description:
      'Instances that were alive at the last heartbeat of this one, by the kind of the store',
  },
  eventLoopLag: {
    kind: 'gauge',
    name: 'resilience.event_loop.lag',
    unit: 's',
    labels: ['quantile'],
    description: 'How late timers are, since the last collection',
  },
} as const satisfies Readonly<Record<string, Instrument>>;

/** The key of an instrument in {@link instruments}. */
export type InstrumentKey = keyof typeof instruments;

/** The keys of the instruments of one kind. */
export type KeysOf<Kind extends Instrument['kind']> = {
  [Key in InstrumentKey]: (typeof instruments)[Key]['kind'] extends Kind ? Key : never;
}[InstrumentKey];
