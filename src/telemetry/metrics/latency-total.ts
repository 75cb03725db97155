import { CELLS, cellOf, percentilesOf } from './latency-histogram.js';
import type { LatencySnapshot } from './snapshot.js';

/** The snapshot when there were no calls. */
export const NO_LATENCY: LatencySnapshot = Object.freeze({
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
});

/** Shared by all totals: only one is in use at a time. */
const cells = new Uint32Array(CELLS);

/** Adds up the latencies of several slices. Must be filled and read before another one is made. */
export class LatencyTotal {
  private count = 0;
  private sum = 0;
  private min = Infinity;
  private max = 0;

  constructor() {
    cells.fill(0);
  }

  add(latencies: readonly number[]): void {
    for (const ms of latencies) {
      cells[cellOf(ms)]! += 1;
      this.addExact(ms, ms, ms);
    }
    this.count += latencies.length;
  }

  /**
   * @param first the number of the histogram's first cell
   * @param weight how many calls each count stands for
   */
  addHistogram(histogram: Uint16Array, first: number, weight = 1): void {
    let added = 0;
    for (let at = 0; at < histogram.length; at++) {
      const count = histogram[at]! * weight;
      cells[first + at]! += count;
      added += count;
    }
    this.count += added;
  }

  addExact(sum: number, min: number, max: number): void {
    this.sum += sum;
    if (min < this.min) this.min = min;
    if (max > this.max) this.max = max;
  }

  snapshot(): LatencySnapshot {
    const { count, sum, min, max } = this;
    if (count === 0) return NO_LATENCY;
    const percentile = percentilesOf(cells, count);
    const within = (percent: number): number => Math.max(min, Math.min(percentile(percent), max));
    return {
      count,
      mean: sum / count,
      min,
      p25: within(25),
      p50: within(50),
      p75: within(75),
      p90: within(90),
      p95: within(95),
      p99: within(99),
      p99_5: within(99.5),
      max,
    };
  }
}
