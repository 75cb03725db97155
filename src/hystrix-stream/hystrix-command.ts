import type { CommandSnapshot } from '../commands/snapshot.js';
import type { BreakerLimits, BreakerSnapshot } from '../policies/circuit-breaker/snapshot.js';
import type { LatencySnapshot, OutcomeCounts } from '../telemetry/metrics/snapshot.js';
import type { HystrixCommandEvent, HystrixLatency } from './hystrix-command-event.js';

/** @param now milliseconds since the epoch */
export function fromCommand(command: CommandSnapshot, now: number): HystrixCommandEvent {
  const { name, metrics, circuitBreaker: breaker, bulkhead } = command;
  const { counts, concurrency, latency, totalLatency } = metrics;
  const { rejected, fallback } = counts;
  const limits = breaker?.limits;
  const threshold = limits && thresholdOf(limits);
  const override = breaker?.override?.kind;
  const group = groupOf(name);
  const timeout = int(command.attemptTimeoutMs);
  return {
    type: 'HystrixCommand',
    name,
    group,
    currentTime: now,
    isCircuitBreakerOpen: isOpen(breaker),
    ...health(counts),
    rollingCountBadRequests: counts.ignored,
    rollingCountCollapsedRequests: 0,
    rollingCountEmit: 0,
    rollingCountExceptionsThrown:
      counts.ignored + fallback.failure + fallback.missing + fallback.rejected,
    rollingCountFailure: counts.failure,
    rollingCountFallbackEmit: 0,
    rollingCountFallbackFailure: fallback.failure,
    rollingCountFallbackMissing: fallback.missing,
    rollingCountFallbackRejection: fallback.rejected,
    rollingCountFallbackSuccess: fallback.success,
    rollingCountResponsesFromCache: 0,
    rollingCountSemaphoreRejected: rejected.bulkheadFull + rejected.other,
    rollingCountShortCircuited: rejected.circuitOpen,
    rollingCountSuccess: counts.success,
    rollingCountThreadPoolRejected: 0,
    rollingCountTimeout: counts.timeout,
    currentConcurrentExecutionCount: concurrency.now,
    rollingMaxConcurrentExecutionCount: concurrency.max,
    latencyExecute_mean: int(latency.mean),
    latencyExecute: percentiles(latency),
    latencyTotal_mean: int(totalLatency.mean),
    latencyTotal: percentiles(totalLatency),
    propertyValue_circuitBreakerRequestVolumeThreshold: int(threshold?.calls),
    propertyValue_circuitBreakerSleepWindowInMilliseconds: int(limits?.openForMs),
    propertyValue_circuitBreakerErrorThresholdPercentage: int((threshold?.rate ?? 0) * 100),
    propertyValue_circuitBreakerForceOpen: override === 'forced-open',
    propertyValue_circuitBreakerForceClosed: override === 'disabled',
    propertyValue_circuitBreakerEnabled: breaker !== undefined,
    // There are no thread pools here. With this value the dashboard also shows the bulkhead's rejections.
    propertyValue_executionIsolationStrategy: 'SEMAPHORE',
    propertyValue_executionIsolationThreadTimeoutInMilliseconds: timeout,
    propertyValue_executionTimeoutInMilliseconds: timeout,
    propertyValue_executionIsolationThreadInterruptOnTimeout: timeout > 0,
    propertyValue_executionIsolationThreadPoolKeyOverride: '',
    propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: int(
      bulkhead?.maxConcurrent ?? Infinity,
    ),
    propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests: int(
      command.maxConcurrentFallbacks ?? Infinity,
    ),
    propertyValue_metricsRollingStatisticalWindowInMilliseconds: int(metrics.windowMs),
    propertyValue_requestCacheEnabled: false,
    propertyValue_requestLogEnabled: false,
    reportingHosts: 1,
    threadPool: group,
  };
}

/** The event for a breaker that is not shown as part of a command of its name: of a decorated method, shared, or by key. */
export function fromBreaker(breaker: BreakerSnapshot, now: number): HystrixCommandEvent {
  const { name, metrics } = breaker;
  const unknown = {
    bulkhead: undefined,
    attemptTimeoutMs: undefined,
    maxConcurrentFallbacks: undefined,
  };
  return fromCommand({ name, metrics, circuitBreaker: breaker, ...unknown }, now);
}

/** Hystrix has no limit for failures in a row; the nearest equivalent is so many calls with a rate of 100 %. */
function thresholdOf({ minimumCalls, failureRate, consecutiveFailures }: BreakerLimits): {
  readonly calls: number;
  readonly rate: number;
} {
  if (failureRate !== undefined) return { calls: minimumCalls, rate: failureRate };
  if (consecutiveFailures !== undefined) return { calls: consecutiveFailures, rate: 1 };
  return { calls: minimumCalls, rate: 0 };
}

/** As in Hystrix' HealthCounts, bad requests and calls rejected by an open circuit do not count. */
function health({
  success,
  failure,
  timeout,
  rejected,
}: OutcomeCounts): Pick<HystrixCommandEvent, 'errorPercentage' | 'errorCount' | 'requestCount'> {
  const errorCount = failure + timeout + rejected.bulkheadFull + rejected.other;
  const requestCount = success + errorCount;
  const errorPercentage = requestCount === 0 ? 0 : Math.trunc((errorCount * 100) / requestCount);
  return { errorPercentage, errorCount, requestCount };
}

/** For Hystrix, a half-open circuit is open. */
function isOpen(breaker: BreakerSnapshot | undefined): boolean {
  if (breaker === undefined || breaker.override?.kind === 'disabled') return false;
  return breaker.state !== 'closed' || breaker.override?.kind === 'forced-open';
}

/** `Class` for `Class.method` and `Class.method[key]`; a name without a dot is its own group. */
function groupOf(name: string): string {
  const [named = name] = name.split('[', 1);
  return named.slice(0, Math.max(0, named.lastIndexOf('.'))) || named || name;
}

function percentiles(latency: LatencySnapshot): HystrixLatency {
  return {
    '0': int(latency.min),
    '25': int(latency.p25),
    '50': int(latency.p50),
    '75': int(latency.p75),
    '90': int(latency.p90),
    '95': int(latency.p95),
    '99': int(latency.p99),
    '99.5': int(latency.p99_5),
    '100': int(latency.max),
  };
}

const MAX_INT = 2_147_483_647;

/** A Java `int`, since the readers are Java programs: whole, at most 2³¹ − 1, and 0 for a missing value or NaN. */
function int(value = 0): number {
  return Math.min(Math.round(value), MAX_INT) || 0;
}
