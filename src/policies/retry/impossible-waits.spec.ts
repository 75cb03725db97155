import { readOptions } from '../../../test/support/read-options.js';
import { constant, decorrelated, exponential, fibonacci, linear } from '../backoff/backoff.js';
import type { Surroundings } from '../policy.js';
import { retryPolicy } from './retry.policy.js';
import { type RetryOptions, readRetryOptions } from './options.js';

/** The problems of a retry in a call with a total timeout, milliseconds. */
function problemsOf(options: RetryOptions, total?: number, inside = true): readonly string[] {
  const [settings, problems] = readOptions(readRetryOptions, options);
  const settingsOf = (kind: string): unknown => (kind === 'timeout' ? { total } : undefined);
  const isInside = (inner: string, outer: string): boolean =>
    inside && inner === 'retry' && outer === 'total timeout';
  const around = { settingsOf, isInside } as Surroundings;
  const found: string[] = [];
  retryPolicy.check!(settings, around, (problem) => found.push(problem));
  return [...problems, ...found];
}

describe('maxElapsedTime', () => {
  it.each<[RetryOptions['maxElapsedTime'], string]>([
    [0, '0'],
    ['0s', "'0s'"],
    ['0ms', "'0ms'"],
    [-0, '-0'],
  ])('of %p is reported, with its meaning in other libraries', (maxElapsedTime, shown) => {
    expect(problemsOf({ maxElapsedTime })).toEqual([
      `maxElapsedTime is ${shown}; use Infinity for no limit, which 0 means in cenkalti/backoff, or a duration above 0 such as '15m'`,
    ]);
  });

  it.each<RetryOptions['maxElapsedTime']>([Infinity, '15m', 1_000])(
    'may be %p',
    (maxElapsedTime) => {
      expect(problemsOf({ maxElapsedTime })).toEqual([]);
    },
  );
});

describe('a first wait that never fits', () => {
  it.each<[string, RetryOptions, number]>([
    ['a constant one', { backoff: constant('2s') }, 2_000],
    ['one with jitter, at its shortest', { backoff: exponential({ initialDelay: '4s' }) }, 2_000],
    ['equal jitter', { backoff: exponential({ initialDelay: '4s', jitter: 'equal' }) }, 2_000],
    ['a linear one', { backoff: linear({ initialDelay: '4s' }) }, 2_000],
    ['a fibonacci one', { backoff: fibonacci({ initialDelay: '4s' }) }, 2_000],
    ['a decorrelated one', { backoff: decorrelated({ initialDelay: '2s' }) }, 2_000],
    ['the default', {}, 250],
  ])('is reported: %s', (_what, options, shortest) => {
    const wait = `the first wait of backoff (at least ${shortest} ms) never fits into`;
    const limit = shortest - 1;
    expect(problemsOf({ ...options, maxElapsedTime: limit })).toEqual([
      `${wait} maxElapsedTime (${limit} ms), so nothing is ever retried`,
    ]);
    expect(problemsOf(options, shortest)).toEqual([
      `${wait} the total timeout (${shortest} ms), so nothing is ever retried`,
    ]);
    expect(problemsOf({ ...options, maxElapsedTime: shortest }, shortest + 1)).toEqual([]);
  });

  it.each<[string, RetryOptions]>([
    ['full jitter, which may draw 0', { backoff: exponential({ jitter: 'full' }) }],
    ['a function, whose delays are unknown', { backoff: () => 60_000 }],
    ['no wait', { backoff: constant(0) }],
    ['no retry', { backoff: constant('1h'), maxRetries: 0 }],
  ])('is not reported: %s', (_what, options) => {
    expect(problemsOf({ ...options, maxElapsedTime: 1 }, 1)).toEqual([]);
  });

  it('is not reported when the total timeout is inside the retry', () => {
    expect(problemsOf({ backoff: constant('2s') }, 1_000, false)).toEqual([]);
  });

  it('is not reported without a total timeout', () => {
    expect(problemsOf({ backoff: constant('10m') })).toEqual([]);
  });
});
