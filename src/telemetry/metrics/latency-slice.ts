import { cellOf } from './latency-histogram.js';
import type { LatencyTotal } from './latency-total.js';

/** So many latencies are kept as they are; of more, a histogram takes less. */
const FEW = 16;

/** The cells of an octave: histograms begin and end with octaves. */
const OCTAVE = 32;

type Histogram = Uint8Array | Uint16Array | Uint32Array;

/** Where sum, minimum and maximum are in `values`. */
const SUM = 0;
const MIN = 1;
const MAX = 2;

/**
 * How long the calls of one slice of time took. The first few latencies are kept as they are; of more, their sum,
 * minimum and maximum, and a histogram. It spans the octaves in which there are any, and has one byte per cell until a
 * cell has to count further.
 */
export class LatencySlice {
  /** Latencies, or what is exact of them: an array keeps fractions in 8 bytes, a field in 24. */
  private values: number[];
  private histogram: Histogram | undefined = undefined;
  /** The cell with which the histogram begins. */
  private first = 0;

  /**
   * @param number of the slice in its window
   * @param older the one before it in which there is anything
   */
  constructor(
    readonly number: number,
    public older: LatencySlice | undefined,
    ms: number,
  ) {
    this.values = [ms];
  }

  record(ms: number): void {
    const { values, histogram } = this;
    if (histogram === undefined) {
      if (values.length < FEW) values.push(ms);
      else this.summarize(ms);
      return;
    }
    values[SUM]! += ms;
    if (ms < values[MIN]!) values[MIN] = ms;
    if (ms > values[MAX]!) values[MAX] = ms;
    const cell = cellOf(ms);
    const at = cell - this.first;
    if (at >= 0 && at < histogram.length) {
      const count = histogram[at]! + 1;
      histogram[at] = count;
      if (histogram[at] !== count) this.count(at, count);
    } else {
      this.widen(cell);
    }
  }

  addTo(total: LatencyTotal): void {
    const { values, histogram, first } = this;
    if (histogram === undefined) return total.add(values);
    total.addHistogram(histogram, first);
    total.addExact(values[SUM]!, values[MIN]!, values[MAX]!);
  }

  /** From single latencies, and one more, to a histogram. */
  private summarize(ms: number): void {
    const { values } = this;
    this.values = [0, Infinity, 0];
    this.first = octaveOf(cellOf(ms));
    this.histogram = new Uint8Array(OCTAVE);
    for (const each of values) this.record(each);
    this.record(ms);
  }

  /** Spans the octave of a cell too, and counts 1 in that. */
  private widen(cell: number): void {
    const histogram = this.histogram!;
    const end = Math.max(this.first + histogram.length, octaveOf(cell) + OCTAVE);
    const first = Math.min(this.first, octaveOf(cell));
    const wider = arrayOf(histogram.BYTES_PER_ELEMENT, end - first);
    wider.set(histogram, this.first - first);
    wider[cell - first] = 1;
    this.histogram = wider;
    this.first = first;
  }

  /** Puts a count into a cell that has not had enough bytes for it. */
  private count(at: number, count: number): void {
    const histogram = this.histogram!;
    const deeper = arrayOf(2 * histogram.BYTES_PER_ELEMENT, histogram.length);
    deeper.set(histogram);
    deeper[at] = count;
    this.histogram = deeper;
  }
}

function octaveOf(cell: number): number {
  return cell - (cell % OCTAVE);
}

function arrayOf(bytes: number, length: number): Histogram {
  if (bytes === 1) return new Uint8Array(length);
  return bytes === 2 ? new Uint16Array(length) : new Uint32Array(length);
}
