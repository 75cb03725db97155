import * as fc from 'fast-check';
import { LatencyTotal } from './latency-total.js';
import { RollingLatency } from './rolling-latency.js';
import type { LatencySnapshot } from './snapshot.js';

const PERCENTS = {
  p25: 25,
  p50: 50,
  p75: 75,
  p90: 90,
  p95: 95,
  p99: 99,
  p99_5: 99.5,
} as const;

/** Exact figures; percentiles by nearest rank. */
function exactly(latencies: readonly number[]): LatencySnapshot {
  const sorted = Float64Array.from(latencies).sort();
  const count = sorted.length;
  const percentile = (percent: number): number =>
    sorted[Math.ceil((percent * count) / 100) - 1] ?? 0;
  return {
    count,
    mean: count === 0 ? 0 : sorted.reduce((sum, ms) => sum + ms, 0) / count,
    min: sorted.at(0) ?? 0,
    p25: percentile(25),
    p50: percentile(50),
    p75: percentile(75),
    p90: percentile(90),
    p95: percentile(95),
    p99: percentile(99),
    p99_5: percentile(99.5),
    max: sorted.at(-1) ?? 0,
  };
}

function read(rolling: RollingLatency, now: number): LatencySnapshot {
  const total = new LatencyTotal();
  rolling.addTo(total, now);
  return total.snapshot();
}

function expectClose(actual: LatencySnapshot, expected: LatencySnapshot): void {
  const { count, min, max } = expected;
  expect(actual).toMatchObject({ count, min, max });
  expect(Math.abs(actual.mean - expected.mean)).toBeLessThanOrEqual(1e-9 * expected.mean);
  for (const name of Object.keys(PERCENTS) as (keyof typeof PERCENTS)[]) {
    expect(Math.abs(actual[name] - expected[name])).toBeLessThanOrEqual(0.016 * expected[name]);
    expect(actual[name]).toBeGreaterThanOrEqual(min);
    expect(actual[name]).toBeLessThanOrEqual(max);
  }
}

/** Tommy Ettinger's mulberry32: the same numbers, 0 to 1, on every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const exponential = (random: () => number): number => -Math.log(1 - random());
const normal = (random: () => number): number =>
  Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random());

const distributions: Record<string, (random: () => number) => number> = {
  uniform: (random) => 1 + 999 * random(),
  exponential: (random) => 0.02 + 80 * exponential(random),
  lognormal: (random) => Math.exp(3 + 1.2 * normal(random)),
  bimodal: (random) => (random() < 0.9 ? 5 + random() : 2_000 + 50 * normal(random)),
  'Pareto, heavy tailed': (random) => (1 - random()) ** (-1 / 1.1),
  constant: () => 42.1,
  'sub-millisecond': (random) => 0.016 + 0.5 * random() ** 4,
};

describe('RollingLatency', () => {
  it.each(Object.keys(distributions))('is less than 1.6 %% off 100 000 latencies: %s', (name) => {
    const random = seeded(7);
    const latencies = Array.from({ length: 100_000 }, () => distributions[name]!(random));
    const rolling = new RollingLatency(0);
    latencies.forEach((ms, at) => rolling.record(ms, at * 0.5));
    expectClose(read(rolling, 50_000), exactly(latencies));
  });

  type Step =
    | { readonly do: 'record'; readonly ms: number }
    | { readonly do: 'wait' | 'goBack'; readonly ms: number }
    | { readonly do: 'read' };

  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('record' as const),
        ms: fc.double({ min: 0.016, max: 1e6, noNaN: true }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        ms: fc.oneof(fc.nat(30), fc.nat(300), fc.constant(5_000)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('goBack' as const), ms: fc.nat(30) }) },
    { weight: 2, arbitrary: fc.constant<Step>({ do: 'read' }) },
  );

  it('covers the slices of its window, and no others', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 10, 25, 100),
        fc.integer({ min: 1, max: 7 }),
        fc.array(step, { maxLength: 60 }),
        (width, slices, steps) => {
          const rolling = new RollingLatency(0, { duration: width * slices, slices });
          let now = 0;
          let latest = 0;
          const recorded: { readonly slice: number; readonly ms: number }[] = [];
          for (const each of [...steps, { do: 'read' } as const]) {
            if (each.do === 'wait') now += each.ms;
            if (each.do === 'goBack') now -= each.ms;
            if (each.do === 'wait' || each.do === 'goBack') continue;
            latest = Math.max(latest, now);
            const newest = Math.floor(latest / width);
            if (each.do === 'record') {
              rolling.record(each.ms, now);
              recorded.push({ slice: newest, ms: each.ms });
            } else {
              const inside = recorded.filter(({ slice }) => newest - slice < slices);
              expectClose(read(rolling, now), exactly(inside.map(({ ms }) => ms)));
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('expires old latencies on reading too, slice by slice', () => {
    const rolling = new RollingLatency(0);
    rolling.record(1, 0);
    rolling.record(2, 10_000);
    rolling.record(3, 59_999);
    expect(read(rolling, 59_999)).toMatchObject({ count: 3, mean: 2, min: 1, max: 3 });
    expect(read(rolling, 60_000)).toMatchObject({ count: 2, mean: 2.5, min: 2, max: 3 });
    expect(read(rolling, 70_000)).toMatchObject({ count: 1, mean: 3, min: 3, p50: 3, max: 3 });
    expect(read(rolling, 110_000)).toEqual(exactly([]));
  });

  it('is all 0 before the first latency, and after a silence, however long', () => {
    const rolling = new RollingLatency(0);
    expect(read(rolling, 0)).toEqual(exactly([]));
    for (const silence of [60_000, 60_001, 1e6, 1e12]) {
      const old = new RollingLatency(0);
      old.record(5, 0);
      expect(read(old, silence)).toEqual(exactly([]));
      old.record(7, silence);
      expect(read(old, silence)).toMatchObject({ count: 1, mean: 7, min: 7, max: 7 });
    }
  });

  it('reads invalid durations as 0', () => {
    const rolling = new RollingLatency(0);
    for (const ms of [NaN, -5, -0, -Infinity]) rolling.record(ms, 0);
    expect(read(rolling, 0)).toEqual({ ...exactly([]), count: 4 });
    rolling.record(8, 0);
    expect(read(rolling, 0)).toMatchObject({ count: 5, mean: 1.6, min: 0, max: 8 });
  });

  it('reports latencies out of the range of its histogram by the nearest recorded one', () => {
    const fast = new RollingLatency(0);
    fast.record(0.001, 0);
    fast.record(0.003, 0);
    expect(read(fast, 0)).toMatchObject({ min: 0.001, p50: 0.003, max: 0.003 });
    const slow = new RollingLatency(0);
    slow.record(3e6, 0);
    slow.record(4e6, 0);
    expect(read(slow, 0)).toMatchObject({ min: 3e6, p50: 3e6, p99: 3e6, max: 4e6 });
  });

  it('counts beyond the limit of a cell', () => {
    const rolling = new RollingLatency(0);
    const calls = 200_000;
    for (let call = 0; call < calls; call++) rolling.record(5, 0);
    rolling.record(0.02, 0); // the histogram grows in both directions after that
    rolling.record(900_000, 0);
    for (let call = 0; call < calls; call++) rolling.record(7, 0);
    const latency = read(rolling, 0);
    expect(latency).toMatchObject({ count: 2 * calls + 2, min: 0.02, max: 900_000 });
    expect(Math.abs(latency.p25 - 5)).toBeLessThan(0.1);
    expect(Math.abs(latency.p75 - 7)).toBeLessThan(0.15);
  });

  it.each([15, 16, 17, 18, 40])('is as exact with few latencies as with many: %d', (calls) => {
    const rolling = new RollingLatency(0);
    const latencies = Array.from({ length: calls }, (_, at) => 1.7 ** (at % 20));
    for (const ms of latencies) rolling.record(ms, 0);
    expectClose(read(rolling, 0), exactly(latencies));
  });

  it('takes the same time to read for any traffic', () => {
    const recorded = (count: number): RollingLatency => {
      const random = seeded(count);
      const rolling = new RollingLatency(0);
      for (let i = 0; i < count; i++) {
        rolling.record(distributions['lognormal']!(random), (i / count) * 59_999);
      }
      return rolling;
    };
    const quiet = recorded(100);
    const busy = recorded(1_000_000);
    const took = (rolling: RollingLatency): number => {
      const start = performance.now();
      read(rolling, 59_999);
      return performance.now() - start;
    };
    const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1]!;
    const quietTimes: number[] = [];
    const busyTimes: number[] = [];
    // Turn by turn, so that a compilation or a busy machine falls on both.
    for (let i = 0; i < 1_001; i++) {
      quietTimes.push(took(quiet));
      busyTimes.push(took(busy));
    }
    expect(median(busyTimes)).toBeLessThan(0.2);
    expect(median(busyTimes)).toBeLessThan(5 * median(quietTimes));
  });
});
