import * as fc from 'fast-check';
import { Gcra } from './gcra.js';

/** The times at which one call each is allowed, of those in `arrivals`. */
function allowed(meter: Gcra, arrivals: readonly number[], cost = 1): number[] {
  return arrivals.filter((at) => meter.take(cost, at) === 0);
}

describe('the generic cell rate algorithm', () => {
  it('allows the burst at once, and then one call per interval', () => {
    const meter = new Gcra({ limit: 10, perMs: 1_000, burst: 3 });
    expect([1, 2, 3].map(() => meter.take(1, 0))).toEqual([0, 0, 0]);
    expect(meter.take(1, 0)).toBeCloseTo(100);
    expect(meter.take(1, 99)).toBeCloseTo(1);
    expect(meter.take(1, 100)).toBe(0);
    expect(meter.take(1, 150)).toBeCloseTo(50);
  });

  it('does not count a call that it does not allow', () => {
    const meter = new Gcra({ limit: 1, perMs: 1_000, burst: 1 });
    meter.take(1, 0);
    for (let at = 0; at < 1_000; at += 10) expect(meter.take(1, at)).toBeGreaterThan(0);
    expect(meter.take(1, 1_000)).toBe(0);
  });

  it('saves up at most the burst', () => {
    const meter = new Gcra({ limit: 10, perMs: 1_000, burst: 2 });
    expect(allowed(meter, [1e6, 1e6, 1e6, 1e6])).toHaveLength(2);
  });

  it('weighs calls by their cost', () => {
    const meter = new Gcra({ limit: 10, perMs: 1_000, burst: 10 });
    expect(meter.take(7, 0)).toBe(0);
    expect(meter.take(4, 0)).toBeCloseTo(100);
    expect(meter.remaining(0)).toBe(3);
    expect(meter.take(3, 0)).toBe(0);
    expect([meter.remaining(0), meter.resetMs(0)]).toEqual([0, 1_000]);
    expect([meter.remaining(250), meter.resetMs(250)]).toEqual([2, 750]);
    expect([meter.remaining(1_000), meter.resetMs(1_000)]).toEqual([10, 0]);
  });

  it('says when more calls are allowed than now', () => {
    const meter = new Gcra({ limit: 10, perMs: 1_000, burst: 2.5 });
    expect(meter.nextMs(0, 2)).toBeUndefined();
    meter.take(1, 0);
    expect(meter.nextMs(0, 1)).toBe(50);
    expect(meter.nextMs(20, 1)).toBeCloseTo(30);
    meter.take(1, 20);
    expect(meter.nextMs(20, 0)).toBeCloseTo(30);
    expect(meter.nextMs(500, 2)).toBeUndefined();
    expect(meter.nextMs(500, 0)).toBe(0);
  });

  it.each([3, 7, 9, 11, 49, 1_000, 99_999])(
    'allows a whole burst of %i at any time, even with a fractional interval',
    (limit) => {
      for (const at of [0, 0.1, 123_456.789, 1e10 + 1 / 3]) {
        const meter = new Gcra({ limit, perMs: 1_000, burst: limit });
        for (let call = 0; call < limit; call++) {
          if (meter.take(1, at) !== 0) throw new Error(`call ${call} of ${limit} at ${at}`);
        }
        expect(meter.take(1, at)).toBeCloseTo(1_000 / limit);
      }
    },
  );

  it('drops counted calls that no longer fit when the burst is lowered', () => {
    const meter = new Gcra({ limit: 1_000, perMs: 1_000, burst: 1_000 });
    meter.take(1_000, 0);
    meter.reconfigure({ limit: 1, perMs: 60_000, burst: 1 }, 0);
    expect(meter.take(1, 0)).toBeCloseTo(60_000);
    expect(meter.take(1, 60_000)).toBe(0);
  });

  it('keeps counted calls when the limit is raised', () => {
    const meter = new Gcra({ limit: 10, perMs: 60_000, burst: 10 });
    meter.take(10, 0);
    meter.reconfigure({ limit: 100, perMs: 60_000, burst: 100 }, 0);
    expect(meter.remaining(0)).toBe(90);
  });

  it('never allows more than limit and burst in any window, and never less than the limit under constant demand', () => {
    const rate = fc.record({
      limit: fc.integer({ min: 1, max: 50 }),
      perMs: fc.integer({ min: 1, max: 5_000 }),
      burst: fc.integer({ min: 1, max: 60 }),
    });
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(rate, gaps, fc.boolean(), (given, between, fractions) => {
        const meter = new Gcra(given);
        let now = 0;
        const times = between.map((gap) => (now += fractions ? gap / 7 : gap));
        const at = allowed(meter, times);
        const { limit, perMs, burst } = given;
        for (let first = 0; first < at.length; first++) {
          for (let last = first; last < at.length; last++) {
            const allowance = burst + ((at[last]! - at[first]!) * limit) / perMs;
            expect(last - first + 1).toBeLessThanOrEqual(allowance + 1e-6);
          }
        }
        const refused = new Gcra(given);
        const interval = perMs / limit;
        for (let call = 0; call < 200; call++) expect(refused.take(1, call * interval)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
