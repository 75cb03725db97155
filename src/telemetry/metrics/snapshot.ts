/** The outcomes of calls over a rolling window. */
export interface OutcomeCounts {
  readonly success: number;
  /** Failures of the dependency that are not timeouts. */
  readonly failure: number;
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
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p99_5: number;
  readonly max: number;
}

/** How the calls of the last while went. */
export interface MetricsSnapshot {
  /** How far counts and concurrency look back, milliseconds. */
  readonly windowMs: number;
  readonly counts: OutcomeCounts;
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
