import { cellOf } from './latency-histogram.js';
import type { LatencyTotal } from './latency-total.js';

/** Cells per octave; the histogram spans whole octaves. */
const OCTAVE = 32;

/** How far a 16-bit cell can count. */
const FULL = 0x1_0000;

/**
 * Sum, minimum and maximum of many latencies, and a histogram that spans only the octaves in use: the latencies of one
 * method seldom spread over more than a few.
 */
export class GrowingHistogram {
  private sum = 0;
  private min = Infinity;
  private max = 0;
  private cells: Uint16Array = new Uint16Array(OCTAVE);
  /** How often each cell has overflowed. */
  private carried: Uint16Array | undefined = undefined;
  /** The number of its first cell. */
  private first: number;

  constructor(latencies: readonly number[]) {
    this.first = octaveOf(cellOf(latencies[0] ?? 0));
    for (const ms of latencies) this.record(ms);
  }

  record(ms: number): void {
    const cell = cellOf(ms);
    if (cell < this.first || cell >= this.first + this.cells.length) this.widen(cell);
    const { cells } = this;
    const at = cell - this.first;
    const count = cells[at]! + 1;
    cells[at] = count;
    if (count === FULL) this.carry(at);
    this.sum += ms;
    if (ms < this.min) this.min = ms;
    if (ms > this.max) this.max = ms;
  }

  addTo(total: LatencyTotal): void {
    const { cells, carried, first, sum, min, max } = this;
    total.addHistogram(cells, first);
    if (carried !== undefined) total.addHistogram(carried, first, FULL);
    total.addExact(sum, min, max);
  }

  private widen(cell: number): void {
    const { first, cells, carried } = this;
    const end = Math.max(first + cells.length, octaveOf(cell) + OCTAVE);
    this.first = Math.min(first, octaveOf(cell));
    const widened = (old: Uint16Array): Uint16Array => {
      const wider = new Uint16Array(end - this.first);
      wider.set(old, first - this.first);
      return wider;
    };
    this.cells = widened(cells);
    if (carried !== undefined) this.carried = widened(carried);
  }

  private carry(at: number): void {
    this.carried ??= new Uint16Array(this.cells.length);
    this.carried[at]! += 1;
  }
}

/** The first cell of a cell's octave. */
function octaveOf(cell: number): number {
  return cell - (cell % OCTAVE);
}
