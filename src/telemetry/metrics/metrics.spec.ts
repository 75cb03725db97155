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
    rejected: { circuitOpen: 0, bulkheadFull: 0 },
    fallback: { success: 0, failure: 0, missing: 0, rejected: 0 },
  },
  concurrency: { now: 0, max: 0 },
  latencyWindowMs: 60_000,
  latency: noLatency,
  totalLatency: noLatency,
};

describe('RollingMetrics', () => {
  it('is all 0 at first, and after a silence', () => {
    const metrics = new RollingMetrics(1_000.5, { total: true });
    expect(metrics.snapshot(1_000.5)).toEqual(nothing);
    metrics.begin(2_000);
    metrics.end(2_010);
    metrics.count(MetricEvent.success, 2_010);
    metrics.latency(10, 2_010);
    metrics.totalLatency(10, 2_010);
    expect(metrics.snapshot(62_001)).toEqual(nothing);
  });

  it('counts each event by itself', () => {
    const metrics = new RollingMetrics(0);
    for (const event of Object.values(MetricEvent)) {
      for (let i = 0; i <= event; i++) metrics.count(event, i);
    }
    expect(metrics.snapshot(100).counts).toEqual({
      success: 1,
      failure: 2,
      timeout: 3,
      ignored: 4,
      rejected: { circuitOpen: 5, bulkheadFull: 6 },
      fallback: { success: 7, failure: 8, missing: 9, rejected: 10 },
    });
  });

  it('lets counts and latencies expire, each in its own time', () => {
    const metrics = new RollingMetrics(0);
    metrics.count(MetricEvent.failure, 0);
    metrics.latency(5, 0);
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

  it('knows how many calls are running, and the most that did', () => {
    const metrics = new RollingMetrics(0);
    metrics.begin(0);
    metrics.begin(0);
    metrics.end(5);
    expect(metrics.concurrency).toBe(1);
    expect(metrics.snapshot(9_999).concurrency).toEqual({ now: 1, max: 2 });
    expect(metrics.snapshot(1e6).concurrency).toEqual({ now: 1, max: 1 });
    metrics.end();
    metrics.end();
    expect(metrics.concurrency).toBe(0);
    metrics.begin(2e6);
    metrics.end();
    expect(metrics.snapshot(2e6).concurrency).toEqual({ now: 0, max: 1 });
  });

  it('has a call run up to its end, whatever was told meanwhile', () => {
    const told = new RollingMetrics(0);
    told.begin(0);
    told.end(30_000);
    expect(told.snapshot(30_001).concurrency).toEqual({ now: 0, max: 1 });
    const untold = new RollingMetrics(0);
    untold.begin(0);
    untold.count(MetricEvent.success, 30_000);
    untold.end();
    expect(untold.snapshot(30_001).concurrency).toEqual({ now: 0, max: 1 });
  });

  it('tells the latencies of the work as those of the callers unless they are kept apart', () => {
    const both = (metrics: RollingMetrics): MetricsSnapshot => {
      metrics.latency(10, 0);
      metrics.totalLatency(15, 0);
      metrics.totalLatency(1, 0);
      return metrics.snapshot(1);
    };
    const once = both(new RollingMetrics(0));
    expect(once.latency).toMatchObject({ count: 1, max: 10 });
    expect(once.totalLatency).toEqual(once.latency);
    const apart = both(new RollingMetrics(0, { total: true }));
    expect(apart.latency).toEqual(once.latency);
    expect(apart.totalLatency).toMatchObject({ count: 2, mean: 8, min: 1, max: 15 });
  });

  it('minds no clock that goes back', () => {
    const metrics = new RollingMetrics(5_000);
    for (const now of [20_000, 19_000, 0, 20_500]) {
      metrics.begin(now);
      metrics.count(MetricEvent.success, now);
      metrics.latency(3, now);
      metrics.end(now);
    }
    expect(metrics.snapshot(0)).toMatchObject({
      counts: { success: 4 },
      concurrency: { now: 0, max: 1 },
      latency: { count: 4, mean: 3, p99: 3 },
    });
  });
});
