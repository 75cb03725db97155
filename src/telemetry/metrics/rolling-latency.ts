import { CELLS, cellOf, percentilesOf } from './latency-histogram.js';
import { RollingWindow } from './rolling-window.js';
import type { LatencySnapshot } from './snapshot.js';

/** What is kept of a slice besides its histogram. */
const SUM = 0;
const MIN = 1;
const MAX = 2;
const FIGURES = 3;

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

/**
 * How long the calls of the last `latencyWindow` milliseconds took: a histogram for each slice of it, for the
 * percentiles, and exact sums, minima and maxima.
 *
 * It takes 20 kB, from the first call on: an application may have thousands of these that are never used.
 */
export class RollingLatency extends RollingWindow {
  private cells: Uint32Array | undefined = undefined;
  private figures: Float64Array | undefined = undefined;

  constructor(now: number, latencyWindow = 60_000, slices = 6) {
    super(latencyWindow, slices, now);
  }

  /** What is no time (negative, NaN) is taken for 0. */
  record(ms: number, now: number): void {
    this.expire(now);
    const took = ms > 0 ? ms : 0;
    const cells = (this.cells ??= new Uint32Array(this.slices * CELLS));
    const figures = (this.figures ??= emptyFigures(this.slices));
    const at = this.current * FIGURES;
    cells[this.current * CELLS + cellOf(took)]! += 1;
    figures[at + SUM]! += took;
    if (took < figures[at + MIN]!) figures[at + MIN] = took;
    if (took > figures[at + MAX]!) figures[at + MAX] = took;
  }

  snapshot(now: number): LatencySnapshot {
    this.expire(now);
    const { cells, figures } = this;
    if (cells === undefined || figures === undefined) return NONE;
    const count = merge(cells);
    if (count === 0) return NONE;

    let sum = 0;
    let min = Infinity;
    let max = 0;
    for (let at = 0; at < figures.length; at += FIGURES) {
      sum += figures[at + SUM]!;
      min = Math.min(min, figures[at + MIN]!);
      max = Math.max(max, figures[at + MAX]!);
    }
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

  protected renew(slice: number): void {
    this.cells?.fill(0, slice * CELLS, (slice + 1) * CELLS);
    const at = slice * FIGURES;
    this.figures?.fill(0, at, at + FIGURES).fill(Infinity, at + MIN, at + MIN + 1);
  }
}

function emptyFigures(slices: number): Float64Array {
  const figures = new Float64Array(slices * FIGURES);
  for (let at = 0; at < figures.length; at += FIGURES) figures[at + MIN] = Infinity;
  return figures;
}

/** @returns how many latencies there are */
function merge(cells: Uint32Array): number {
  let count = 0;
  for (let cell = 0; cell < CELLS; cell++) {
    let sum = 0;
    for (let at = cell; at < cells.length; at += CELLS) sum += cells[at]!;
    merged[cell] = sum;
    count += sum;
  }
  return count;
}
