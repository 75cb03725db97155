/** Latencies by percentile, whole milliseconds; `0` is the shortest and `100` the longest. */
export interface HystrixLatency {
  /** The shortest. */
  readonly '0': number;
  /** A quarter took no longer. */
  readonly '25': number;
  /** Half took no longer: the median. */
  readonly '50': number;
  /** Three quarters took no longer. */
  readonly '75': number;
  /** 90 % took no longer. */
  readonly '90': number;
  /** 95 % took no longer. */
  readonly '95': number;
  /** 99 % took no longer. */
  readonly '99': number;
  /** 99.5 % took no longer. */
  readonly '99.5': number;
  /** The longest. */
  readonly '100': number;
}

/**
 * Hystrix' event for a command: every field, in the order of Hystrix' own serializer. Its documentation explains the
 * fields; `docs/hystrix-stream.md` says where their values come from.
 */
export interface HystrixCommandEvent {
  /** The kind of event, for the dashboard. */
  readonly type: 'HystrixCommand';
  /** The name of the command, or of the breaker. */
  readonly name: string;
  /** The class of a method, `Class` of `Class.method`; otherwise the name itself. */
  readonly group: string;
  /** Milliseconds since the epoch. */
  readonly currentTime: number;
  /** Whether the circuit is open, half-open or forced open. */
  readonly isCircuitBreakerOpen: boolean;
  /** `errorCount` as a share of `requestCount`, 0 to 100, rounded down. */
  readonly errorPercentage: number;
  /** Failures, timeouts and rejections within the window, other than those by an open circuit. */
  readonly errorCount: number;
  /** Successes and errors within the window. */
  readonly requestCount: number;
  /** Calls within the window that say nothing about the dependency (`ignored`). */
  readonly rollingCountBadRequests: number;
  /** Always 0: there is no collapsing. */
  readonly rollingCountCollapsedRequests: number;
  /** Always 0: items of streams are not counted. */
  readonly rollingCountEmit: number;
  /** Calls within the window that gave their caller an error. */
  readonly rollingCountExceptionsThrown: number;
  /** Failures within the window. */
  readonly rollingCountFailure: number;
  /** Always 0: items of streams are not counted. */
  readonly rollingCountFallbackEmit: number;
  /** Fallbacks within the window that failed. */
  readonly rollingCountFallbackFailure: number;
  /** Failures within the window that had no fallback. */
  readonly rollingCountFallbackMissing: number;
  /** Fallbacks within the window that `maxConcurrent` rejected. */
  readonly rollingCountFallbackRejection: number;
  /** Fallbacks within the window that answered. */
  readonly rollingCountFallbackSuccess: number;
  /** Always 0: there is no request cache. */
  readonly rollingCountResponsesFromCache: number;
  /** Calls within the window that a bulkhead or any other policy except the breaker rejected. */
  readonly rollingCountSemaphoreRejected: number;
  /** Calls within the window that an open circuit has rejected. */
  readonly rollingCountShortCircuited: number;
  /** Successes within the window. */
  readonly rollingCountSuccess: number;
  /** Always 0: there are no thread pools. */
  readonly rollingCountThreadPoolRejected: number;
  /** Timeouts within the window. */
  readonly rollingCountTimeout: number;
  /** Calls that are running now. */
  readonly currentConcurrentExecutionCount: number;
  /** The most calls that ran at a time within the window. */
  readonly rollingMaxConcurrentExecutionCount: number;
  /** Mean duration of the work, whole milliseconds. */
  readonly latencyExecute_mean: number;
  /** Durations of the work, by percentile. */
  readonly latencyExecute: HystrixLatency;
  /** Mean time that callers waited, whole milliseconds. */
  readonly latencyTotal_mean: number;
  /** Times that callers waited, by percentile. */
  readonly latencyTotal: HystrixLatency;
  /** Calls needed before the circuit may open; for a limit of failures in a row, that limit. */
  readonly propertyValue_circuitBreakerRequestVolumeThreshold: number;
  /** How long the circuit stays open, milliseconds. */
  readonly propertyValue_circuitBreakerSleepWindowInMilliseconds: number;
  /** The failure rate at which the circuit opens, 0 to 100; 0 when it does not open by a rate. */
  readonly propertyValue_circuitBreakerErrorThresholdPercentage: number;
  /** Whether the circuit is forced open. */
  readonly propertyValue_circuitBreakerForceOpen: boolean;
  /** Whether the circuit is disabled, so that it admits every call. */
  readonly propertyValue_circuitBreakerForceClosed: boolean;
  /** Whether the command has a breaker. */
  readonly propertyValue_circuitBreakerEnabled: boolean;
  /** Always `SEMAPHORE`: there are no thread pools. */
  readonly propertyValue_executionIsolationStrategy: 'SEMAPHORE';
  /** The time limit of an attempt, milliseconds; 0 without one. The name for old dashboards. */
  readonly propertyValue_executionIsolationThreadTimeoutInMilliseconds: number;
  /** The time limit of an attempt, milliseconds; 0 without one. */
  readonly propertyValue_executionTimeoutInMilliseconds: number;
  /** Whether there is a time limit, at which the signal of the attempt is aborted. */
  readonly propertyValue_executionIsolationThreadInterruptOnTimeout: boolean;
  /** Always empty: there are no thread pools. */
  readonly propertyValue_executionIsolationThreadPoolKeyOverride: string;
  /** How many calls the bulkhead lets run at a time; the largest 32-bit integer without one. */
  readonly propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: number;
  /** How many fallbacks may run at a time; the largest 32-bit integer without a limit. */
  readonly propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests: number;
  /** The length of the window of all counts, milliseconds. */
  readonly propertyValue_metricsRollingStatisticalWindowInMilliseconds: number;
  /** Always false: there is no request cache. */
  readonly propertyValue_requestCacheEnabled: boolean;
  /** Always false: there is no request log. */
  readonly propertyValue_requestLogEnabled: boolean;
  /** Always 1; an aggregator such as Turbine adds up the instances. */
  readonly reportingHosts: 1;
  /** The same as `group`. */
  readonly threadPool: string;
}
