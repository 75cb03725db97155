/*
 * Latencies as a log-linear histogram, like Gil Tene's HdrHistogram: an octave is divided into 32 cells of equal
 * width, so the middle of a cell is at most 1/64 (1.6 %) off any latency in it.
 */

/** The first cell begins at 2 ** -6 ms (16 µs); shorter latencies count there too. */
const LOWEST = -6;
/** The last cell ends at 2 ** 20 ms (17 min); longer latencies count there too. */
const HIGHEST = 20;
/** An octave has 2 ** 5 cells. */
const BITS = 5;
const OCTAVE = 1 << BITS;
/** The width of the cells in the first octave is 1 / UNIT milliseconds. */
const UNIT = 2 ** (BITS - LOWEST);
/** Latencies from here on count in the last cell: in units they would not fit into a 32-bit integer. */
const TOO_LONG = 2 ** HIGHEST;

/** How many cells a histogram has. */
export const CELLS = (HIGHEST - LOWEST) * OCTAVE;

/** The cell of a latency in milliseconds. */
export function cellOf(ms: number): number {
  if (ms >= TOO_LONG) return CELLS - 1;
  const units = ms > 0 ? (ms * UNIT) | 0 : 0;
  if (units < OCTAVE) return 0;
  const octave = 31 - BITS - Math.clz32(units);
  return octave * OCTAVE + (units >> octave) - OCTAVE;
}

/** The latency in the middle of a cell. */
export function middleOf(cell: number): number {
  const octave = cell >> BITS;
  return ((OCTAVE + (cell % OCTAVE) + 0.5) * 2 ** octave) / UNIT;
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
