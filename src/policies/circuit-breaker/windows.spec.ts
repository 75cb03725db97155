import * as fc from 'fast-check';
import { TimeWindow } from './time-window.js';
import { CountWindow, CumulativeWindow, type Window, type WindowTotals } from './windows.js';

function totalsOf(window: Window, now: number): WindowTotals {
  const { requests, successes, failures, ignored, slow } = window.totals(now);
  return { requests, successes, failures, ignored, slow };
}

/** One call of the naive model: when it was admitted, and how and when it ended. */
interface ModelCall {
  readonly admittedAt: number;
  endedAt: number | undefined;
  kind: 'success' | 'failure' | 'ignored' | undefined;
  slow: boolean;
  mark: number;
}

type Step =
  | { readonly do: 'admit' }
  | {
      readonly do: 'end';
      readonly which: number;
      readonly kind: ModelCall['kind'];
      readonly slow: boolean;
    }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'clear' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Step>({ do: 'admit' }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: fc.nat(20),
      kind: fc.constantFrom('success' as const, 'failure' as const, 'ignored' as const),
      slow: fc.boolean(),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.nat(30), fc.nat(300), fc.constant(5_000)),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'clear' }) },
);

type Counted = (
  call: ModelCall,
  now: number,
  origin: number,
  ended: readonly ModelCall[],
) => boolean;

interface Expected {
  /** Whether a call that has ended is in the window. */
  readonly counted: Counted;
  /** Whether a call that is running, or has been ignored, is among the requests. */
  readonly requested: Counted;
}

/** Runs the steps on the window and, with plain lists, on a model; both have to agree after each. */
function compare(window: Window, { counted, requested }: Expected, steps: readonly Step[]): void {
  let now = 0;
  let origin = 0;
  let calls: ModelCall[] = [];
  let ended: ModelCall[] = [];
  for (const each of steps) {
    if (each.do === 'wait') now += each.ms;
    if (each.do === 'admit') {
      const mark = window.admit(now);
      calls.push({ admittedAt: now, endedAt: undefined, kind: undefined, slow: false, mark });
    }
    if (each.do === 'end') {
      const running = calls.filter(({ kind }) => kind === undefined);
      const call = running[each.which % Math.max(1, running.length)];
      if (call === undefined) continue;
      Object.assign(call, {
        endedAt: now,
        kind: each.kind,
        slow: each.kind !== 'ignored' && each.slow,
      });
      if (each.kind === 'ignored') window.ignore(now, call.mark);
      else window.record(now, call.mark, each.kind === 'failure', each.slow);
      ended.push(call);
    }
    if (each.do === 'clear') {
      window.clear(now);
      calls = [];
      ended = [];
      origin = now;
    }
    const inside = ended.filter((call) => counted(call, now, origin, ended));
    const count = (kind: ModelCall['kind']): number =>
      inside.filter((call) => call.kind === kind).length;
    expect(totalsOf(window, now)).toEqual({
      requests: calls.filter((call) => requested(call, now, origin, ended)).length,
      successes: count('success'),
      failures: count('failure'),
      ignored: count('ignored'),
      slow: inside.filter(({ slow }) => slow).length,
    });
  }
}

const always = (): boolean => true;

describe('CumulativeWindow', () => {
  it('counts everything since it was cleared', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) =>
        compare(new CumulativeWindow(), { counted: always, requested: always }, steps),
      ),
      { numRuns: 100 },
    );
  });
});

describe('CountWindow', () => {
  const lastOf =
    (size: number): Counted =>
    (call, _now, _origin, ended) =>
      ended
        .filter(({ kind }) => kind !== 'ignored')
        .slice(-size)
        .includes(call);

  it('counts the last calls that succeeded or failed, whenever they were', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(step, { maxLength: 80 }),
        (size, steps) => {
          const inside = lastOf(size);
          compare(
            new CountWindow(size),
            {
              counted: (...at) => at[0].kind === 'ignored' || inside(...at),
              requested: (...at) => at[0].kind === undefined || inside(...at),
            },
            steps,
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('counts correctly however many calls it holds', () => {
    const window = new CountWindow(1_000);
    const record = (failed: boolean): void => {
      for (let i = 0; i < 1_000; i++) window.record(0, window.admit(), failed, failed);
    };
    record(true);
    expect(window.totals()).toMatchObject({ failures: 1_000, successes: 0, slow: 1_000 });
    record(false);
    expect(window.totals()).toMatchObject({ failures: 0, successes: 1_000, slow: 0 });
  });

  it('forgets the oldest call for the newest', () => {
    const window = new CountWindow(2);
    const end = (failed: boolean, slow = false): void =>
      void window.record(0, window.admit(), failed, slow);
    end(true, true);
    end(false);
    expect(window.totals()).toMatchObject({ failures: 1, successes: 1, slow: 1 });
    end(false);
    expect(window.totals()).toMatchObject({ failures: 0, successes: 2, slow: 0 });
    end(true);
    expect(window.totals()).toMatchObject({ failures: 1, successes: 1, slow: 0 });
  });
});

describe('TimeWindow', () => {
  /** Buckets are counted from the origin; the newest `buckets` of them are in the window. */
  const withinBuckets = (
    at: number,
    now: number,
    origin: number,
    width: number,
    buckets: number,
  ): boolean => Math.floor((now - origin) / width) - Math.floor((at - origin) / width) < buckets;

  const shape = fc.record({
    width: fc.constantFrom(1, 10, 25, 100),
    buckets: fc.integer({ min: 1, max: 7 }),
  });

  it('counts the calls that ended within it, and as requests those that began or ended within it', () => {
    fc.assert(
      fc.property(shape, fc.array(step, { maxLength: 80 }), ({ width, buckets }, steps) => {
        const inside = (at: number, now: number, origin: number): boolean =>
          withinBuckets(at, now, origin, width, buckets);
        compare(
          new TimeWindow(width * buckets, buckets, 'end', 0),
          {
            counted: ({ endedAt }, now, origin) => inside(endedAt!, now, origin),
            requested: ({ admittedAt, endedAt }, now, origin) =>
              inside(endedAt ?? admittedAt, now, origin),
          },
          steps,
        );
      }),
      { numRuns: 300 },
    );
  });

  it(`with countAt 'start' counts the calls that began within it`, () => {
    fc.assert(
      fc.property(shape, fc.array(step, { maxLength: 80 }), ({ width, buckets }, steps) => {
        const began: Counted = ({ admittedAt }, now, origin) =>
          withinBuckets(admittedAt, now, origin, width, buckets);
        // A call that ended too late never entered the window: it is not counted then, nor later.
        compare(
          new TimeWindow(width * buckets, buckets, 'start', 0),
          { counted: began, requested: began },
          steps,
        );
      }),
      { numRuns: 300 },
    );
  });

  const failAt = (window: TimeWindow, now: number): void =>
    void window.record(now, window.admit(now), true, true);

  it('expires old calls on reading too, bucket by bucket', () => {
    const window = new TimeWindow(1_000, 10, 'end', 0);
    failAt(window, 50);
    failAt(window, 150);
    expect(window.totals(999).failures).toBe(2);
    expect(window.totals(1_000).failures).toBe(1);
    expect(window.totals(1_099).failures).toBe(1);
    expect(totalsOf(window, 1_100)).toEqual({
      requests: 0,
      successes: 0,
      failures: 0,
      ignored: 0,
      slow: 0,
    });
  });

  it('is empty after an idle gap, however long', () => {
    for (const gap of [1_000, 1_001, 12_345, 1e12]) {
      const window = new TimeWindow(1_000, 10, 'end', 0);
      failAt(window, 0);
      failAt(window, gap);
      expect(window.totals(gap)).toMatchObject({ requests: 1, failures: 1 });
    }
  });

  it('puts a call at a bucket edge into the later bucket', () => {
    const window = new TimeWindow(1_000, 10, 'end', 0);
    failAt(window, 100);
    expect(window.totals(1_099).failures).toBe(1);
    expect(window.totals(1_100).failures).toBe(0);
  });

  it('starts its buckets at the time it was cleared', () => {
    const window = new TimeWindow(1_000, 2, 'end', 0);
    window.clear(250);
    failAt(window, 300);
    expect(window.totals(1_249).failures).toBe(1);
    expect(window.totals(1_250).failures).toBe(0);
  });

  it('counts a call that outlasts the window where it ended', () => {
    const window = new TimeWindow(1_000, 10, 'end', 0);
    const mark = window.admit(0);
    expect(window.totals(5_000).requests).toBe(0);
    expect(window.record(5_000, mark, true, false)).toBe(true);
    expect(window.totals(5_500)).toMatchObject({ requests: 1, failures: 1 });
    expect(window.totals(6_000)).toMatchObject({ requests: 0, failures: 0 });
  });

  it(`with countAt 'start' does not count a call that outlasts the window`, () => {
    const window = new TimeWindow(1_000, 10, 'start', 0);
    const inTime = window.admit(99);
    const tooLate = window.admit(99);
    expect(window.record(999, inTime, true, false)).toBe(true);
    expect(window.record(1_000, tooLate, true, false)).toBe(false);
    expect(window.totals(1_000)).toMatchObject({ requests: 0, failures: 0 });
  });
});
