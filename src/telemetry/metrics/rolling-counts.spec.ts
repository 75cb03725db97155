import * as fc from 'fast-check';
import { RollingCounts } from './rolling-counts.js';

const EVENTS = 3;

type Step =
  | { readonly do: 'add'; readonly event: number }
  | { readonly do: 'begin' | 'end' | 'read' }
  | { readonly do: 'wait' | 'goBack'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('add' as const), event: fc.nat(EVENTS - 1) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom('begin' as const, 'end' as const) }),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'read' }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.nat(30), fc.nat(300), fc.constant(5_000)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('goBack' as const), ms: fc.nat(30) }) },
);

/** The naive way: everything that ever happened, in lists. */
class Model {
  private readonly added: { readonly bucket: number; readonly event: number }[] = [];
  private readonly changes = [{ bucket: -1, running: 0 }];

  constructor(
    private readonly width: number,
    private readonly buckets: number,
  ) {}

  add(event: number, now: number): void {
    this.added.push({ bucket: this.bucket(now), event });
  }

  change(by: number, now: number): void {
    const running = Math.max(0, this.running + by);
    this.changes.push({ bucket: this.bucket(now), running });
  }

  get running(): number {
    return this.changes.at(-1)!.running;
  }

  read(now: number): { sums: number[]; running: number; peak: number } {
    const oldest = this.bucket(now) - this.buckets + 1;
    const inside = this.added.filter(({ bucket }) => bucket >= oldest);
    const carriedOver = this.changes.filter(({ bucket }) => bucket < oldest).at(-1);
    const changed = this.changes.filter(({ bucket }) => bucket >= oldest);
    return {
      sums: Array.from(
        { length: EVENTS },
        (_, event) => inside.filter((each) => each.event === event).length,
      ),
      running: this.running,
      peak: Math.max(0, ...[carriedOver, ...changed].map((each) => each?.running ?? 0)),
    };
  }

  private bucket(now: number): number {
    return Math.floor(now / this.width);
  }
}

function read(counts: RollingCounts, now: number): ReturnType<Model['read']> {
  return {
    sums: Array.from({ length: EVENTS }, (_, event) => counts.sum(event, now)),
    running: counts.concurrency,
    peak: counts.peak(now),
  };
}

describe('RollingCounts', () => {
  it('agrees with a naive implementation', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 10, 25, 100),
        fc.integer({ min: 1, max: 7 }),
        fc.array(step, { maxLength: 80 }),
        (width, buckets, steps) => {
          const counts = new RollingCounts(0, { duration: width * buckets, slices: buckets });
          const model = new Model(width, buckets);
          let now = 0;
          let latest = 0;
          for (const each of [...steps, { do: 'read' } as const]) {
            if (each.do === 'wait') now += each.ms;
            if (each.do === 'goBack') now -= each.ms;
            if (each.do === 'wait' || each.do === 'goBack') continue;
            latest = Math.max(latest, now);
            if (each.do === 'add') {
              counts.add(each.event, now);
              model.add(each.event, latest);
            }
            if (each.do === 'begin') {
              counts.begin(now);
              model.change(+1, latest);
            }
            if (each.do === 'end') {
              counts.end(1, now);
              model.change(-1, latest);
              model.add(1, latest);
            }
            if (each.do === 'read') expect(read(counts, now)).toEqual(model.read(latest));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('covers 10 seconds in 10 buckets', () => {
    const counts = new RollingCounts(500);
    counts.add(0, 500);
    counts.add(0, 1_499);
    counts.add(0, 1_500);
    expect(counts.sum(0, 10_499)).toBe(3);
    expect(counts.sum(0, 10_500)).toBe(1);
    expect(counts.sum(0, 11_499)).toBe(1);
    expect(counts.sum(0, 11_500)).toBe(0);
  });

  it('counts a new event after others have long been counted', () => {
    const counts = new RollingCounts(0);
    for (let at = 0; at < 25; at++) counts.add(0, at * 1_000);
    counts.add(2, 24_500);
    counts.add(1, 25_000);
    expect(read(counts, 25_500).sums).toEqual([9, 1, 1]);
    expect(read(counts, 34_400).sums).toEqual([0, 1, 0]);
    expect(read(counts, 35_000).sums).toEqual([0, 0, 0]);
  });

  it('is empty after a silence, however long', () => {
    for (const silence of [10_000, 10_001, 123_456, 1e12]) {
      const counts = new RollingCounts(0);
      counts.add(1, 0);
      counts.begin(0);
      counts.end(2, 0);
      expect(read(counts, silence)).toEqual({ sums: [0, 0, 0], running: 0, peak: 0 });
      counts.add(1, silence);
      expect(counts.sum(1, silence)).toBe(1);
    }
  });

  it('counts calls that are still running in each bucket, skipped ones as well', () => {
    const counts = new RollingCounts(0);
    for (let i = 0; i < 3; i++) counts.begin(0);
    counts.end(0, 100);
    expect(counts.peak(9_999)).toBe(3);
    expect(counts.peak(10_000)).toBe(2);
    expect(counts.peak(1e6)).toBe(2);
    counts.end(0, 1e6 + 5_000);
    expect(counts.peak(1e6 + 14_999)).toBe(2);
    expect(counts.peak(1e6 + 15_000)).toBe(1);
  });

  it('counts events after the clock went back as new', () => {
    const counts = new RollingCounts(5_000);
    counts.add(0, 9_000);
    counts.add(0, 4_000);
    counts.begin(4_000);
    expect(read(counts, 8_000)).toEqual({ sums: [2, 0, 0], running: 1, peak: 1 });
    expect(counts.sum(0, 18_999)).toBe(2);
    expect(counts.sum(0, 19_000)).toBe(0);
  });
});
