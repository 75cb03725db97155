/** The outcomes of calls over a rolling window. */
export interface OutcomeCounts {
  /** Calls that have ended well. */
  readonly success: number;
  /** Failures of the dependency that are not timeouts. */
  readonly failure: number;
  /** Calls that ran out of time, or whose end was not seen in time. */
  readonly timeout: number;
  /** Neither good nor bad: a request that was wrong, a caller who has gone. */
  readonly ignored: number;
  /** Calls that policies have turned away. */
  readonly rejected: {
    readonly circuitOpen: number;
    readonly bulkheadFull: number;
    /** By any other policy. */
    readonly other: number;
  };
  /** The outcomes of fallbacks for calls that did not succeed. */
  readonly fallback: {
    readonly success: number;
    readonly failure: number;
    /** There was no fallback for the error. */
    readonly missing: number;
    /** Too many fallbacks were running. */
    readonly rejected: number;
  };
}

/** How long calls took, milliseconds; all 0 when there were none. Percentiles are less than 2 % off. */
export interface LatencySnapshot {
  /** Recorded calls. */
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

/** How the calls of the last while went. */
export interface MetricsSnapshot {
  /** How far counts and concurrency look back, milliseconds. */
  readonly windowMs: number;
  /** Calls by how they ended, within the window. */
  readonly counts: OutcomeCounts;
  /** Calls that run now, and the most that ran at a time within the window. */
  readonly concurrency: {
    /** Calls that are running; of a breaker, all that it has admitted, also those that wait inside of it. */
    readonly now: number;
    /** The most that ran at a time within the window. */
    readonly max: number;
  };
  /** How far latencies look back, milliseconds. */
  readonly latencyWindowMs: number;
  /** Of the work, from admission to its end; without what rejections and fallbacks took. */
  readonly latency: LatencySnapshot;
  /** As callers saw it. A circuit breaker cannot see more than the work: it tells the same twice. */
  readonly totalLatency: LatencySnapshot;
}
