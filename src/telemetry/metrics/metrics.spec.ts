import { MetricEvent, RollingMetrics } from './metrics.js';
import type { MetricsSnapshot } from './snapshot.js';

const noLatency = {
  count: 0,
  mean: 0,
  min: 0,
  p25: 0,
  p50: 0,
  p75: 0,
  p90: 0,
  p95: 0,
  p99: 0,
  p99_5: 0,
  max: 0,
};

const nothing: MetricsSnapshot = {
  windowMs: 10_000,
  counts: {
    success: 0,
    failure: 0,
    timeout: 0,
    ignored: 0,
    rejected: { circuitOpen: 0, bulkheadFull: 0, other: 0 },
    fallback: { success: 0, failure: 0, missing: 0, rejected: 0 },
  },
  concurrency: { now: 0, max: 0 },
  latencyWindowMs: 60_000,
  latency: noLatency,
  totalLatency: noLatency,
};

describe('RollingMetrics', () => {
  it('is all 0 at first, and after a silence', () => {
    const metrics = new RollingMetrics(1_000.5);
    expect(metrics.snapshot(1_000.5)).toEqual(nothing);
    metrics.begin(2_000);
    metrics.complete(MetricEvent.success, 10, 2_010);
    metrics.workLatency(10, 2_010);
    metrics.waitLatency(10, 2_010);
    expect(metrics.snapshot(62_001)).toEqual(nothing);
  });

  it('counts each event separately', () => {
    const metrics = new RollingMetrics(0);
    for (const event of Object.values(MetricEvent)) {
      for (let i = 0; i <= event; i++) metrics.count(event, i);
    }
    expect(metrics.snapshot(100).counts).toEqual({
      success: 1,
      failure: 2,
      timeout: 3,
      ignored: 4,
      rejected: { circuitOpen: 5, bulkheadFull: 6, other: 11 },
      fallback: { success: 7, failure: 8, missing: 9, rejected: 10 },
    });
  });

  it('lets counts and latencies expire, each after its own time', () => {
    const metrics = new RollingMetrics(0);
    metrics.complete(MetricEvent.failure, 5, 0);
    expect(metrics.snapshot(9_999)).toMatchObject({
      counts: { failure: 1 },
      latency: { count: 1 },
    });
    expect(metrics.snapshot(59_999)).toMatchObject({
      counts: { failure: 0 },
      latency: { count: 1 },
    });
    expect(metrics.snapshot(60_000)).toEqual(nothing);
  });

  it('has the number of running calls and its peak', () => {
    const metrics = new RollingMetrics(0);
    metrics.begin(0);
    metrics.begin(0);
    metrics.end(MetricEvent.success, 5);
    expect(metrics.concurrency).toBe(1);
    expect(metrics.snapshot(9_999).concurrency).toEqual({ now: 1, max: 2 });
    expect(metrics.snapshot(1e6).concurrency).toEqual({ now: 1, max: 1 });
    metrics.end(MetricEvent.success, 1e6);
    metrics.end(MetricEvent.success, 1e6);
    expect(metrics.concurrency).toBe(0);
    metrics.begin(2e6);
    metrics.end(MetricEvent.success, 2e6);
    expect(metrics.snapshot(2e6).concurrency).toEqual({ now: 0, max: 1 });
  });

  it('counts a call as running up to its end', () => {
    const metrics = new RollingMetrics(0);
    metrics.begin(0);
    metrics.end(MetricEvent.failure, 30_000);
    expect(metrics.snapshot(30_001)).toMatchObject({
      counts: { failure: 1 },
      concurrency: { now: 0, max: 1 },
    });
  });

  it('distinguishes the duration of the work from the wait of callers', () => {
    const metrics = new RollingMetrics(0);
    metrics.complete(MetricEvent.success, 10, 0);
    expect(metrics.snapshot(1).totalLatency).toEqual(metrics.snapshot(1).latency);
    metrics.workLatency(20, 0);
    metrics.waitLatency(25, 0);
    metrics.waitLatency(1, 0); // never ran
    const { latency, totalLatency } = metrics.snapshot(1);
    expect(latency).toMatchObject({ count: 2, mean: 15, min: 10, max: 20 });
    expect(totalLatency).toMatchObject({ count: 3, mean: 12, min: 1, max: 25 });
  });

  it('tolerates a clock that goes back', () => {
    const metrics = new RollingMetrics(5_000);
    for (const now of [20_000, 19_000, 0, 20_500]) {
      metrics.begin(now);
      metrics.complete(MetricEvent.success, 3, now);
    }
    expect(metrics.snapshot(0)).toMatchObject({
      counts: { success: 4 },
      concurrency: { now: 0, max: 1 },
      latency: { count: 4, mean: 3, p99: 3 },
    });
  });
});
