import { RollingCounts } from './rolling-counts.js';
import { RollingLatency } from './rolling-latency.js';
import type { MetricsSnapshot } from './snapshot.js';

/** What calls and their fallbacks come to, numbered. */
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
} as const;
export type MetricEvent = (typeof MetricEvent)[keyof typeof MetricEvent];

const EVENTS = Object.keys(MetricEvent).length;

/**
 * How the calls of the last while went. No timers: whoever writes or reads expires what is too old. Nothing is
 * allocated for a call, and a snapshot takes the same time however many there were.
 */
export class RollingMetrics {
  private readonly counts: RollingCounts;
  /** Of calls whose callers waited as long as the work took: nearly all. */
  private readonly latencies: RollingLatency;
  /** Of the others, what the work took, and what callers waited. */
  private readonly work: RollingLatency;
  private readonly waits: RollingLatency;

  constructor(now: number) {
    this.counts = new RollingCounts(EVENTS, now);
    this.latencies = new RollingLatency(now);
    this.work = new RollingLatency(now);
    this.waits = new RollingLatency(now);
  }

  /** A call has begun. */
  begin(now: number): void {
    this.counts.begin(now);
  }

  /** A call has ended, so. */
  end(event: MetricEvent, now: number): void {
    this.counts.end(event, now);
  }

  count(event: MetricEvent, now: number): void {
    this.counts.add(event, now);
  }

  /** What the work of a call took, and its caller waited. */
  latency(ms: number, now: number): void {
    this.latencies.record(ms, now);
  }

  /** What the work of a call took whose caller waited for more. */
  workLatency(ms: number, now: number): void {
    this.work.record(ms, now);
  }

  /** What a caller waited, but not for the work alone. */
  waitLatency(ms: number, now: number): void {
    this.waits.record(ms, now);
  }

  get concurrency(): number {
    return this.counts.concurrency;
  }

  snapshot(now: number): MetricsSnapshot {
    const { counts, latencies, work, waits } = this;
    const latency = latencies.snapshot(now, work);
    const same = work.untouched && waits.untouched;
    const sum = (event: MetricEvent): number => counts.sum(event, now);
    return {
      windowMs: counts.duration,
      counts: {
        success: sum(MetricEvent.success),
        failure: sum(MetricEvent.failure),
        timeout: sum(MetricEvent.timeout),
        ignored: sum(MetricEvent.ignored),
        rejected: {
          circuitOpen: sum(MetricEvent.circuitOpen),
          bulkheadFull: sum(MetricEvent.bulkheadFull),
        },
        fallback: {
          success: sum(MetricEvent.fallbackSuccess),
          failure: sum(MetricEvent.fallbackFailure),
          missing: sum(MetricEvent.fallbackMissing),
          rejected: sum(MetricEvent.fallbackRejected),
        },
      },
      concurrency: { now: counts.concurrency, max: counts.peak(now) },
      latencyWindowMs: latencies.duration,
      latency,
      totalLatency: same ? latency : latencies.snapshot(now, waits),
    };
  }
}
