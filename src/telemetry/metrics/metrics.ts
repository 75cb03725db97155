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
  private readonly latencies: RollingLatency;
  private readonly totalLatencies: RollingLatency | undefined;

  /** With `total`, latencies as callers saw them are kept apart. */
  constructor(now: number, { total = false }: { readonly total?: boolean } = {}) {
    this.counts = new RollingCounts(EVENTS, now);
    this.latencies = new RollingLatency(now);
    this.totalLatencies = total ? new RollingLatency(now) : undefined;
  }

  begin(now: number): void {
    this.counts.begin(now);
  }

  /** Without `now`, the call has ended when something was last told with a time. */
  end(now = NaN): void {
    this.counts.end(now); // NaN is past the end of no bucket
  }

  count(event: MetricEvent, now: number): void {
    this.counts.add(event, now);
  }

  latency(ms: number, now: number): void {
    this.latencies.record(ms, now);
  }

  totalLatency(ms: number, now: number): void {
    this.totalLatencies?.record(ms, now);
  }

  get concurrency(): number {
    return this.counts.concurrency;
  }

  snapshot(now: number): MetricsSnapshot {
    const { counts } = this;
    const sum = (event: MetricEvent): number => counts.sum(event, now);
    const latency = this.latencies.snapshot(now);
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
      latencyWindowMs: this.latencies.duration,
      latency,
      totalLatency: this.totalLatencies?.snapshot(now) ?? latency,
    };
  }
}
