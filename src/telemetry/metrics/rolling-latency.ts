import { CELLS, cellOf, percentilesOf } from './latency-histogram.js';
import { RollingWindow } from './rolling-window.js';
import type { LatencySnapshot } from './snapshot.js';

const NONE: LatencySnapshot = Object.freeze({
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

/** The histogram of all slices, while a snapshot is taken. */
const merged = new Uint32Array(CELLS);

/** What is known of a slice besides its histogram. */
interface Slice {
  sum: number;
  min: number;
  max: number;
}

const EMPTY: Readonly<Slice> = { sum: 0, min: Infinity, max: 0 };

/**
 * How long the calls of the last `latencyWindow` milliseconds took: a histogram for each slice of it, for the
 * percentiles, and exact sums, minima and maxima.
 *
 * It takes 20 kB, from the first call on: an application may have thousands of these that are never used.
 */
export class RollingLatency extends RollingWindow {
  private cells: Uint32Array | undefined = undefined;
  /** Where the histogram of the newest slice begins. */
  private first = 0;
  private readonly all: Slice[];
  private newest: Slice;

  constructor(now: number, latencyWindow = 60_000, slices = 6) {
    super(latencyWindow, slices, now);
    this.all = Array.from({ length: slices }, () => ({ ...EMPTY }));
    this.newest = this.all[0]!;
  }

  /** What is no time (negative, NaN) is taken for 0. */
  record(ms: number, now: number): void {
    this.expire(now);
    const took = ms > 0 ? ms : 0;
    const cells = (this.cells ??= new Uint32Array(this.slices * CELLS));
    cells[this.first + cellOf(took)]! += 1;
    const { newest } = this;
    newest.sum += took;
    if (took < newest.min) newest.min = took;
    if (took > newest.max) newest.max = took;
  }

  /** With the latencies of `other` windows, which are as long. */
  snapshot(now: number, ...other: RollingLatency[]): LatencySnapshot {
    merged.fill(0);
    const total = { ...EMPTY };
    let count = 0;
    for (const each of [this, ...other]) count += each.addTo(total, now);
    const { min, max, sum } = total;
    if (count === 0) return NONE;

    const percentile = percentilesOf(merged, count);
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

  protected override renew(slice: number): void {
    this.first = slice * CELLS;
    this.cells?.fill(0, this.first, this.first + CELLS);
    this.newest = this.all[slice]!;
    Object.assign(this.newest, EMPTY);
  }

  /** Whether nothing has ever been recorded. */
  get untouched(): boolean {
    return this.cells === undefined;
  }

  /** @returns how many latencies there are */
  private addTo(total: Slice, now: number): number {
    this.expire(now);
    const { cells } = this;
    if (cells === undefined) return 0;
    let count = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      let sum = 0;
      for (let at = cell; at < cells.length; at += CELLS) sum += cells[at]!;
      merged[cell]! += sum;
      count += sum;
    }
    for (const { sum, min, max } of this.all) {
      total.sum += sum;
      total.min = Math.min(total.min, min);
      total.max = Math.max(total.max, max);
    }
    return count;
  }
}
