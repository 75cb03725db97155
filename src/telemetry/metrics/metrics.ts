import { LatencyTotal } from './latency-total.js';
import { LAST_10_SECONDS, RollingCounts } from './rolling-counts.js';
import { LAST_MINUTE, RollingLatency } from './rolling-latency.js';
import type { LatencySnapshot, MetricsSnapshot, OutcomeCounts } from './snapshot.js';

/** The outcomes of calls and fallbacks, numbered. */
export const MetricEvent = {
  success: 0,
  failure: 1,
  timeout: 2,
  ignored: 3,
  circuitOpen: 4,
  bulkheadFull: 5,
  fallbackSuccess: 6,
  fallbackFailure: 7,
  fallbackMissing: 8,
  fallbackRejected: 9,
  rejectedOtherwise: 10,
} as const;
export type MetricEvent = (typeof MetricEvent)[keyof typeof MetricEvent];

/**
 * Outcomes and latencies of calls over rolling windows. No timers: writing and reading expire what is too old. A snapshot
 * takes the same time however many calls there were.
 *
 * An application may have a hundred thousand of these, most of them idle, so nothing is allocated before it is needed.
 */
export class RollingMetrics {
  private counts: RollingCounts | undefined = undefined;
  /** Latencies of calls whose callers waited exactly for the duration of the work: nearly all. */
  private latencies: RollingLatency | undefined = undefined;
  /** Latencies of the others: the duration of the work, and the wait of the callers. */
  private work: RollingLatency | undefined = undefined;
  private waits: RollingLatency | undefined = undefined;

  /** @param since when the first slice of its windows begins */
  constructor(private readonly since: number) {}

  begin(now: number): void {
    (this.counts ??= new RollingCounts(this.since)).begin(now);
  }

  /** Ends a call whose latencies are recorded separately, or not at all. */
  end(event: MetricEvent, now: number): void {
    (this.counts ??= new RollingCounts(this.since)).end(event, now);
  }

  /** Ends a call whose caller waited exactly as long as its work took, milliseconds. */
  complete(event: MetricEvent, ms: number, now: number): void {
    (this.counts ??= new RollingCounts(this.since)).end(event, now);
    (this.latencies ??= new RollingLatency(this.since)).record(ms, now);
  }

  /** Counts an event outside `begin()` and `end()`: a rejection, or the outcome of a fallback. */
  count(event: MetricEvent, now: number): void {
    (this.counts ??= new RollingCounts(this.since)).add(event, now);
  }

  /** Records the duration of the work alone, when it differs from the time that the caller waited. */
  workLatency(ms: number, now: number): void {
    (this.work ??= new RollingLatency(this.since)).record(ms, now);
  }

  /** Records the time that a caller waited, when it differs from the duration of the work. */
  waitLatency(ms: number, now: number): void {
    (this.waits ??= new RollingLatency(this.since)).record(ms, now);
  }

  get concurrency(): number {
    return this.counts?.concurrency ?? 0;
  }

  /** Only the counts of the snapshot. */
  outcomes(now: number): OutcomeCounts {
    const { counts } = this;
    const sum = (event: MetricEvent): number => counts?.sum(event, now) ?? 0;
    return {
      success: sum(MetricEvent.success),
      failure: sum(MetricEvent.failure),
      timeout: sum(MetricEvent.timeout),
      ignored: sum(MetricEvent.ignored),
      rejected: {
        circuitOpen: sum(MetricEvent.circuitOpen),
        bulkheadFull: sum(MetricEvent.bulkheadFull),
        other: sum(MetricEvent.rejectedOtherwise),
      },
      fallback: {
        success: sum(MetricEvent.fallbackSuccess),
        failure: sum(MetricEvent.fallbackFailure),
        missing: sum(MetricEvent.fallbackMissing),
        rejected: sum(MetricEvent.fallbackRejected),
      },
    };
  }

  snapshot(now: number): MetricsSnapshot {
    const { counts, latencies, work, waits } = this;
    const latency = totalOf(now, latencies, work);
    const same = work === undefined && waits === undefined;
    return {
      windowMs: LAST_10_SECONDS.duration,
      counts: this.outcomes(now),
      concurrency: { now: this.concurrency, max: counts?.peak(now) ?? 0 },
      latencyWindowMs: LAST_MINUTE.duration,
      latency,
      totalLatency: same ? latency : totalOf(now, latencies, waits),
    };
  }
}

function totalOf(now: number, ...windows: (RollingLatency | undefined)[]): LatencySnapshot {
  const total = new LatencyTotal();
  for (const each of windows) each?.addTo(total, now);
  return total.snapshot();
}
