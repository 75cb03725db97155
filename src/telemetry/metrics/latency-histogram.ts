/*
 * Latencies as a log-linear histogram, like Gil Tene's HdrHistogram: an octave is divided into 32 cells of equal
 * width, so the middle of a cell is at most 1/64 (1.6 %) off any latency in it. A double has the same layout: its
 * exponent and the first five bits of its mantissa, read as one number, are the number of the cell.
 */

/** The first cell begins at 2 ** -6 ms (16 µs); shorter latencies count there too. */
const LOWEST = -6;
/** The last cell ends at 2 ** 20 ms (17 min); longer latencies count there too. */
const HIGHEST = 20;
/** Bits of a double's upper word below those that number the cell. */
const SHIFT = 15;
/** Exponent and five bits, read as one number, at the start of the first cell. */
const FIRST = (1023 + LOWEST) << 5;

/** How many cells a histogram has. */
export const CELLS = (HIGHEST - LOWEST) << 5;

const double = Float64Array.of(1);
const words = new Int32Array(double.buffer);
/** Depends on the byte order of the machine: in the double 1, only the lower word is 0. */
const UPPER = words[0] === 0 ? 1 : 0;
const LOWER = 1 - UPPER;

/** The cell of a latency in milliseconds. */
export function cellOf(ms: number): number {
  double[0] = ms;
  const cell = (words[UPPER]! >> SHIFT) - FIRST; // the sign bit stays: a negative latency is in the first cell
  return cell < 0 ? 0 : cell < CELLS ? cell : CELLS - 1;
}

/** The latency in the middle of a cell. */
export function middleOf(cell: number): number {
  words[UPPER] = ((cell + FIRST) << SHIFT) | (1 << (SHIFT - 1));
  words[LOWER] = 0;
  return double[0]!;
}

/**
 * Percentiles (by nearest rank) of the `count` latencies in `cells`. The returned function walks the cells once, so it must
 * be called with ascending percentages.
 */
export function percentilesOf(cells: Uint32Array, count: number): (percent: number) => number {
  let cell = 0;
  let seen = cells[0]!;
  return (percent) => {
    const rank = Math.ceil((percent * count) / 100);
    while (seen < rank) seen += cells[++cell]!;
    return middleOf(cell);
  };
}
