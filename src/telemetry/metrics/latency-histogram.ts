/*
 * Latencies as a log-linear histogram, like Gil Tene's HdrHistogram: an octave is divided into 32 cells of equal
 * width, so that the middle of a cell is at most 1/64 (1.6 %) off any latency in it. That is the very layout of a
 * double: its exponent and the first five bits of its mantissa, read as one number, count the cells.
 */

/** The first cell begins at 2 ** -6 ms (16 µs) and takes what is less, too. */
const LOWEST = -6;
/** The last cell ends at 2 ** 20 ms (17 min) and takes what is more, too. */
const HIGHEST = 20;
/** The bits of the upper word of a double that are below those of its cell. */
const SHIFT = 15;
/** The number that a double's exponent and five bits make at the start of the first cell. */
const FIRST = (1023 + LOWEST) << 5;

/** How many cells a histogram has. */
export const CELLS = (HIGHEST - LOWEST) << 5;

const double = Float64Array.of(1);
const words = new Int32Array(double.buffer);
/** Where the upper word is: the lower one of 1 is 0. */
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
 * Percentiles (by nearest rank) of the `count` latencies in `cells`. It walks the cells once, so it is to be asked
 * for them in ascending order.
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
