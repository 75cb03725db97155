import * as fc from 'fast-check';
import { readOptions } from '../../../test/support/read-options.js';
import {
  type Backoff,
  type Jitter,
  constant,
  decorrelated,
  defaultBackoff,
  type DelayRule,
  exponential,
  fibonacci,
  linear,
  readBackoff,
} from './backoff.js';

function read(backoff: unknown): [DelayRule | undefined, readonly string[]] {
  const options = { backoff: backoff as Backoff };
  return readOptions((reader) => readBackoff(reader, 'backoff'), options);
}

function ruleOf(backoff: Backoff): DelayRule {
  const [rule, problems] = read(backoff);
  expect(problems).toEqual([]);
  return rule!;
}

const inTheMiddle = (): number => 0.5;
/** The largest number that `Math.random` returns. */
const almostOne = (): number => 1 - Number.EPSILON / 2;
const atZero = (): number => 0;

/** The first delays, each knowing the one before. */
function delaysOf(rule: DelayRule, count: number, random = inTheMiddle): number[] {
  const delays: number[] = [];
  for (let attempt = 1; attempt <= count; attempt++) {
    delays.push(rule({ attempt, error: undefined, previous: delays.at(-1), random }));
  }
  return delays;
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

describe('the default backoff', () => {
  it('is that of cenkalti/backoff: 500 ms, × 1.5, at most 60 s from the 13th on', () => {
    const expected = [
      500, 750, 1_125, 1_687.5, 2_531.25, 3_796.875, 5_695.3125, 8_542.97, 12_814.45, 19_221.68,
      28_832.52, 43_248.78, 60_000, 60_000, 60_000,
    ];
    const delays = delaysOf(defaultBackoff, 15);
    expected.forEach((delay, i) => expect(delays[i]).toBeCloseTo(delay, 1));
    expect(delays.slice(12)).toEqual([60_000, 60_000, 60_000]);
  });

  it('is the same as exponential()', () => {
    expect(delaysOf(ruleOf(exponential()), 20, () => 0.123)).toEqual(
      delaysOf(defaultBackoff, 20, () => 0.123),
    );
  });

  it('spreads by half, after the cap: at most 90 s', () => {
    expect(delaysOf(defaultBackoff, 1, atZero)).toEqual([250]);
    expect(delaysOf(defaultBackoff, 20, atZero).at(-1)).toBe(30_000);
    expect(delaysOf(defaultBackoff, 20, almostOne).at(-1)).toBeCloseTo(90_000);
  });

  it('waits 16.086 s in seven retries, between 8.043 and 24.129 s', () => {
    expect(sum(delaysOf(defaultBackoff, 7))).toBeCloseTo(16_085.94, 1);
    expect(sum(delaysOf(defaultBackoff, 7, atZero))).toBeCloseTo(8_042.97, 1);
    expect(sum(delaysOf(defaultBackoff, 7, almostOne))).toBeCloseTo(24_128.91, 1);
  });

  it('never overflows', () => {
    expect(delaysOf(defaultBackoff, 3_000).at(-1)).toBe(60_000);
  });
});

describe('exponential()', () => {
  it('grows by its multiplier up to maxDelay', () => {
    const rule = ruleOf(
      exponential({ initialDelay: '100ms', multiplier: 2, maxDelay: '1s', jitter: 'none' }),
    );
    expect(delaysOf(rule, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('may stay constant', () => {
    expect(delaysOf(ruleOf(exponential({ multiplier: 1, jitter: 'none' })), 3)).toEqual([
      500, 500, 500,
    ]);
  });
});

describe('constant()', () => {
  it('is the same each time, exactly', () => {
    expect(delaysOf(ruleOf(constant('2s')), 3, atZero)).toEqual([2_000, 2_000, 2_000]);
    expect(delaysOf(ruleOf(constant(0)), 1)).toEqual([0]);
  });

  it('spreads with jitter', () => {
    expect(delaysOf(ruleOf(constant('2s', { jitter: 0.1 })), 1, atZero)).toEqual([1_800]);
  });
});

describe('linear()', () => {
  it('grows by the same step, by default the initial delay', () => {
    expect(delaysOf(ruleOf(linear({ jitter: 'none', maxDelay: '2s' })), 5)).toEqual([
      500, 1_000, 1_500, 2_000, 2_000,
    ]);
    const rule = ruleOf(linear({ initialDelay: '1s', increment: '250ms', jitter: 'none' }));
    expect(delaysOf(rule, 3)).toEqual([1_000, 1_250, 1_500]);
  });

  it('spreads by half by default', () => {
    expect(delaysOf(ruleOf(linear()), 2, atZero)).toEqual([250, 500]);
  });
});

describe('fibonacci()', () => {
  it('grows like the Fibonacci numbers, up to maxDelay', () => {
    const rule = ruleOf(fibonacci({ initialDelay: 100, maxDelay: '3s', jitter: 'none' }));
    expect(delaysOf(rule, 10)).toEqual([100, 100, 200, 300, 500, 800, 1_300, 2_100, 3_000, 3_000]);
  });

  it('is exact up to the cap', () => {
    const numbers = [1, 1];
    while (numbers.length < 60) numbers.push(numbers.at(-1)! + numbers.at(-2)!);
    const rule = ruleOf(fibonacci({ initialDelay: 1, maxDelay: 1e15, jitter: 'none' }));
    expect(delaysOf(rule, 60)).toEqual(numbers);
    expect(delaysOf(ruleOf(fibonacci({ jitter: 'none' })), 2_000).at(-1)).toBe(60_000);
  });

  it('spreads by half by default', () => {
    expect(delaysOf(ruleOf(fibonacci()), 2, atZero)).toEqual([250, 250]);
  });
});

describe('decorrelated()', () => {
  const rule = ruleOf(decorrelated({ initialDelay: 100, maxDelay: 1_000 }));

  it('draws between the initial delay and three times the previous delay', () => {
    const draw = (previous: number | undefined, random: () => number): number =>
      rule({ attempt: 2, error: undefined, previous, random });
    expect(draw(undefined, atZero)).toBe(100);
    expect(draw(undefined, almostOne)).toBeCloseTo(300);
    expect(draw(200, atZero)).toBe(100);
    expect(draw(200, almostOne)).toBeCloseTo(600);
    expect(draw(200, inTheMiddle)).toBe(350);
  });

  it('draws from the upper half below maxDelay instead of being cut off', () => {
    const randoms = [0.99, 0.5];
    const delay = rule({
      attempt: 9,
      error: undefined,
      previous: 1_000,
      random: () => randoms.shift()!,
    });
    expect(delay).toBe(750);
  });

  it('stays between its bounds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999999, noNaN: true }), { minLength: 60 }),
        (randoms) => {
          let i = 0;
          for (const delay of delaysOf(rule, 30, () => randoms[i++ % randoms.length]!)) {
            expect(delay).toBeGreaterThanOrEqual(100);
            expect(delay).toBeLessThanOrEqual(1_000);
          }
        },
      ),
    );
  });
});

describe('jitter', () => {
  it.each<[Jitter, number, number, number]>([
    ['none', 1_000, 1_000, 1_000],
    ['full', 0, 500, 1_000],
    ['equal', 500, 750, 1_000],
    [0, 1_000, 1_000, 1_000],
    [0.2, 800, 1_000, 1_200],
    [1, 0, 1_000, 2_000],
  ])('of %p spreads 1000 ms from %p over %p to %p', (jitter, ...expected) => {
    const rule = ruleOf(constant(1_000, { jitter }));
    [atZero, inTheMiddle, almostOne].forEach((random, i) => {
      expect(delaysOf(rule, 1, random)[0]).toBeCloseTo(expected[i]!);
    });
  });

  it('is applied after the cap, so that clients do not retry together there', () => {
    const rule = ruleOf(exponential({ maxDelay: '1s', jitter: 'full' }));
    expect(delaysOf(rule, 10, () => 0.25).at(-1)).toBe(250);
  });
});

describe('a backoff function', () => {
  it('gets the attempt and its error, and decides the delay', () => {
    const backoff = jest
      .fn()
      .mockReturnValueOnce(7)
      .mockReturnValueOnce(-1)
      .mockReturnValueOnce(NaN);
    const error = new Error('x');
    const rule = ruleOf(backoff);
    const ask = (attempt: number): number =>
      rule({ attempt, error, previous: 1, random: inTheMiddle });
    expect([ask(1), ask(2), ask(3)]).toEqual([7, -1, NaN]);
    expect(backoff.mock.calls).toEqual([
      [1, error],
      [2, error],
      [3, error],
    ]);
  });

  it('passes its error on', () => {
    const rule = ruleOf(() => {
      throw new Error('broken');
    });
    expect(() =>
      rule({ attempt: 1, error: undefined, previous: undefined, random: atZero }),
    ).toThrow('broken');
  });
});

describe('readBackoff', () => {
  it('reads an absent backoff as undefined', () => {
    expect(read(undefined)).toEqual([undefined, []]);
  });

  it.each<[string, unknown, string]>([
    [
      'a duration',
      '2s',
      `backoff is '2s'; use exponential(), constant(), … or a function (attempt, error) => ms`,
    ],
    [
      'null',
      null,
      'backoff is null; use exponential(), constant(), … or a function (attempt, error) => ms',
    ],
    [
      'an unknown kind',
      { kind: 'cubic', options: {} },
      `backoff is { kind: 'cubic', options: {} }; use exponential(), constant(), … or a function (attempt, error) => ms`,
    ],
    [
      'a member of every object as a kind',
      { kind: 'constructor', options: {} },
      `backoff is { kind: 'constructor', options: {} }; use exponential(), constant(), … or a function (attempt, error) => ms`,
    ],
    [
      'a kind without options',
      { kind: 'linear', options: null },
      `backoff is { kind: 'linear', options: null }; use exponential(), constant(), … or a function (attempt, error) => ms`,
    ],
    [
      'a missing constant delay',
      { kind: 'constant', options: {} },
      `backoff.delay is undefined; use a duration such as '1s'`,
    ],
    [
      'a shrinking delay',
      exponential({ multiplier: 0.5 }),
      'backoff.multiplier is 0.5; use a number of at least 1',
    ],
    [
      'a first delay of 0',
      exponential({ initialDelay: 0 }),
      `backoff.initialDelay is 0; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' above 0`,
    ],
    [
      'a cap of 0',
      linear({ initialDelay: 1, maxDelay: 0 }),
      `backoff.maxDelay is 0; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' above 0`,
    ],
    [
      'a cap below the first delay',
      fibonacci({ initialDelay: '2s', maxDelay: '1s' }),
      'maxDelay (1000 ms) is shorter than initialDelay (2000 ms)',
    ],
    [
      'a cap below the default first delay',
      decorrelated({ maxDelay: 499 }),
      'maxDelay (499 ms) is shorter than initialDelay (500 ms)',
    ],
    [
      'too much jitter',
      exponential({ jitter: 1.1 }),
      `backoff.jitter is 1.1; use a number from 0 to 1, 'full', 'equal' or 'none'`,
    ],
    [
      'negative jitter',
      exponential({ jitter: -0.1 }),
      `backoff.jitter is -0.1; use a number from 0 to 1, 'full', 'equal' or 'none'`,
    ],
    [
      'an unknown jitter',
      exponential({ jitter: 'half' as never }),
      `backoff.jitter is 'half'; use a number from 0 to 1, 'full', 'equal' or 'none'`,
    ],
    [
      'a misspelt option',
      exponential({ maxDelai: 1 } as never),
      'backoff.maxDelai is not an option; the options are backoff.initialDelay, backoff.maxDelay, backoff.multiplier, backoff.jitter',
    ],
    [
      'a jitter of decorrelated()',
      decorrelated({ jitter: 0.5 } as never),
      'backoff.jitter is not an option; the options are backoff.initialDelay, backoff.maxDelay',
    ],
  ])('reports %s', (_what, backoff, problem) => {
    expect(read(backoff)[1]).toContain(problem);
  });

  it('allows a cap equal to the first delay', () => {
    expect(read(exponential({ initialDelay: '1s', maxDelay: '1s' }))[1]).toEqual([]);
  });
});
