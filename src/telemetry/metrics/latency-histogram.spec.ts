import * as fc from 'fast-check';
import { CELLS, cellOf, middleOf, percentilesOf } from './latency-histogram.js';

const SMALLEST = 2 ** -6;
const LARGEST = 2 ** 20;

describe('cellOf', () => {
  it('has 32 cells of equal width per octave', () => {
    fc.assert(
      fc.property(
        fc.double({ min: SMALLEST, max: LARGEST, maxExcluded: true, noNaN: true }),
        (ms) => {
          const octaves = Array.from({ length: 26 }, (_, at) => 2 ** (at - 6));
          const octave = octaves.filter((start) => start <= ms).at(-1)!;
          const cell = (Math.log2(octave) + 6) * 32 + Math.floor((ms / octave - 1) * 32);
          expect(cellOf(ms)).toBe(cell);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('puts a latency at the edge of two cells into the later one', () => {
    expect(CELLS).toBe(832);
    expect(cellOf(SMALLEST)).toBe(0);
    expect(cellOf(1)).toBe(6 * 32);
    expect(cellOf(1 - Number.EPSILON)).toBe(6 * 32 - 1);
    expect(cellOf(1 + 1 / 32)).toBe(6 * 32 + 1);
    expect(cellOf(LARGEST - 1)).toBe(CELLS - 1);
  });

  it('puts too small latencies into the first cell and too large ones into the last', () => {
    for (const ms of [-Infinity, -1e9, -1, -Number.MIN_VALUE, -0, 0, Number.MIN_VALUE, 0.015]) {
      expect(cellOf(ms)).toBe(0);
    }
    for (const ms of [LARGEST, 1e9, Number.MAX_VALUE, Infinity]) {
      expect(cellOf(ms)).toBe(CELLS - 1);
    }
  });

  it('has a cell for any number', () => {
    fc.assert(
      fc.property(fc.double(), (ms) => {
        expect(cellOf(ms)).toBeGreaterThanOrEqual(0);
        expect(cellOf(ms)).toBeLessThan(CELLS);
      }),
    );
  });
});

describe('middleOf', () => {
  it('is the centre of the cell', () => {
    for (let cell = 0; cell < CELLS; cell++) {
      const octave = 2 ** (Math.floor(cell / 32) - 6);
      expect(middleOf(cell)).toBe(octave * (1 + ((cell % 32) + 0.5) / 32));
      expect(cellOf(middleOf(cell))).toBe(cell);
    }
  });

  it('is less than 1.6 % off any latency in the cell', () => {
    fc.assert(
      fc.property(
        fc.double({ min: SMALLEST, max: LARGEST, maxExcluded: true, noNaN: true }),
        (ms) => {
          expect(Math.abs(middleOf(cellOf(ms)) - ms) / ms).toBeLessThan(0.016);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('percentilesOf', () => {
  const histogram = (latencies: readonly number[]): Uint32Array => {
    const cells = new Uint32Array(CELLS);
    for (const ms of latencies) cells[cellOf(ms)]! += 1;
    return cells;
  };

  it('uses the nearest rank', () => {
    const percentile = percentilesOf(histogram([1, 10, 100, 1_000]), 4);
    const around = (ms: number): number => middleOf(cellOf(ms));
    expect([1, 25, 25.1, 50, 51, 75, 99.5, 100].map(percentile)).toEqual(
      [1, 1, 10, 10, 100, 100, 1_000, 1_000].map(around),
    );
  });

  it('does not round up a rank that is a whole number', () => {
    for (const count of [1_000, 3_000, 7_000]) {
      const rank = 0.995 * count;
      const latencies = Array.from({ length: count }, (_, at) => (at < rank ? 1 : 1_000));
      expect(percentilesOf(histogram(latencies), count)(99.5)).toBe(middleOf(cellOf(1)));
    }
  });
});
