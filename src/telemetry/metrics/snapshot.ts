/** The outcomes of calls over a rolling window. */
export interface OutcomeCounts {
  /** Calls that have succeeded, those that ended with an error that is an answer included. */
  readonly success: number;
  /** Failures of the dependency that are not timeouts. */
  readonly failure: number;
  /** Calls that ran out of time, or had not ended within `maxCallDuration` or as a probe within `halfOpen.maxDuration`. */
  readonly timeout: number;
  /** Calls that say nothing about the dependency: a programmer error, a caller that has gone. */
  readonly ignored: number;
  /** Calls that policies have rejected. */
  readonly rejected: {
    readonly circuitOpen: number;
    readonly bulkheadFull: number;
    /** Rejected by any other policy. */
    readonly other: number;
  };
  /** The outcomes of fallbacks for calls that failed or were rejected. */
  readonly fallback: {
    readonly success: number;
    readonly failure: number;
    /** No fallback answers the error. */
    readonly missing: number;
    /** Too many fallbacks were running. */
    readonly rejected: number;
  };
}

/** Latencies of calls; all 0 when there were none. Percentiles are less than 2 % off. */
export interface LatencySnapshot {
  /** Number of recorded calls. */
  readonly count: number;
  /** The mean, milliseconds. */
  readonly mean: number;
  /** The shortest, milliseconds. */
  readonly min: number;
  /** 25th percentile, milliseconds. */
  readonly p25: number;
  /** Median, milliseconds. */
  readonly p50: number;
  /** 75th percentile, milliseconds. */
  readonly p75: number;
  /** 90th percentile, milliseconds. */
  readonly p90: number;
  /** 95th percentile, milliseconds. */
  readonly p95: number;
  /** 99th percentile, milliseconds. */
  readonly p99: number;
  /** 99.5th percentile, milliseconds. */
  readonly p99_5: number;
  /** The longest, milliseconds. */
  readonly max: number;
}

/** Outcomes, concurrency and latencies of recent calls. */
export interface MetricsSnapshot {
  /** How far counts and concurrency look back, milliseconds. */
  readonly windowMs: number;
  /** Calls within the window, by how they ended. */
  readonly counts: OutcomeCounts;
  /** Calls that run at a time. */
  readonly concurrency: {
    /** Calls that are running now; for a breaker, all that it has admitted, including those that wait inside it. */
    readonly now: number;
    /** The most that ran at a time within the window. */
    readonly max: number;
  };
  /** How far latencies look back, milliseconds. */
  readonly latencyWindowMs: number;
  /** Duration of the work, from admission to its end, without rejections and fallbacks. */
  readonly latency: LatencySnapshot;
  /** Duration as callers saw it. A circuit breaker sees only the work, so for it this equals `latency`. */
  readonly totalLatency: LatencySnapshot;
}
