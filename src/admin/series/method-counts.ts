import { GrowingHistogram } from '../../telemetry/metrics/growing-histogram.js';
import { LatencyTotal } from '../../telemetry/metrics/latency-total.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import { STEP, type Values, round } from './series.js';

/** How many methods, commands and pipelines are counted. */
const MOST = 1_000;

/** The events of one method within a step. */
class Counts {
  requests = 0;
  failures = 0;
  retries = 0;
  fallbacks = 0;
  stale = 0;
  latencies: GrowingHistogram | undefined = undefined;

  end(failed: boolean, durationMs: number): void {
    this.requests += 1;
    if (failed) this.failures += 1;
    if (this.latencies === undefined) this.latencies = new GrowingHistogram([durationMs]);
    else this.latencies.record(durationMs);
  }

  values(): Values {
    const { requests, failures, retries, fallbacks, stale } = this;
    const total = new LatencyTotal();
    this.latencies?.addTo(total);
    const { p50, p95, p99 } = total.snapshot();
    return {
      requests: perSecond(requests),
      errorRate: requests === 0 ? 0 : round(failures / requests),
      p50: round(p50),
      p95: round(p95),
      p99: round(p99),
      retries: perSecond(retries),
      fallbacks: perSecond(fallbacks),
      stale: perSecond(stale),
    };
  }
}

/** Counts the calls of methods, commands and pipelines, and their events, step by step. */
export class MethodCounts {
  private counts = new Map<string, Counts>();

  /** A call has ended. */
  end(name: string, failed: boolean, durationMs: number): void {
    this.of(name)?.end(failed, durationMs);
  }

  record(event: ResilienceEvent): void {
    switch (event.type) {
      case 'retry':
        return this.add(event.name, 'retries');
      case 'fallback':
        if (event.outcome !== 'success') return;
        this.add(event.name, 'fallbacks');
        if (event.stale === true) this.add(event.name, 'stale');
        return;
      default:
    }
  }

  /** The numbers of the step that ends now; the next one begins. */
  take(): ReadonlyMap<string, { values(): Values }> {
    const taken = this.counts;
    this.counts = new Map();
    return taken;
  }

  private add(name: string, count: 'retries' | 'fallbacks' | 'stale'): void {
    const counts = this.of(name);
    if (counts !== undefined) counts[count] += 1;
  }

  private of(name: string): Counts | undefined {
    let counts = this.counts.get(name);
    if (counts === undefined && this.counts.size < MOST) {
      this.counts.set(name, (counts = new Counts()));
    }
    return counts;
  }
}

export function perSecond(count: number): number {
  return round(count / (STEP / 1_000));
}
