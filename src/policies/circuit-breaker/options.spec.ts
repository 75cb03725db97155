import { readOptions } from '../../../test/support/read-options.js';
import { exponential } from '../backoff/backoff.js';
import {
  type CircuitBreakerOptions,
  type CircuitBreakerSettings,
  readCircuitBreakerOptions,
} from './options.js';

function settle(options: CircuitBreakerOptions): [CircuitBreakerSettings, readonly string[]] {
  return readOptions(readCircuitBreakerOptions, options);
}

const problemsOf = (options: object): readonly string[] => settle(options)[1];

describe('the options of a circuit breaker', () => {
  it('have defaults', () => {
    const [{ breaker, ...settings }, problems] = settle({});
    expect(problems).toEqual([]);
    expect(settings).toEqual({ name: undefined, key: undefined, maxKeys: 1_000 });
    expect(breaker).toMatchObject({
      failureRate: 0.5,
      slowCallRate: undefined,
      slowCallDuration: 60_000,
      consecutiveFailures: undefined,
      readyToTrip: undefined,
      minimumCalls: 20,
      resetInterval: Infinity,
      maxProbes: 1,
      successThreshold: 1,
      maxProbeDuration: 30_000,
      maxCallDuration: 60_000,
      retryAfterCap: 60_000,
      critical: false,
      onStateChange: undefined,
    });
    expect(breaker.window.id).toBe('10000 ms in 60 by end');
  });

  it.each<[string, CircuitBreakerOptions, object]>([
    ['no failure rate beside a slow-call rate', { slowCallRate: 0.5 }, { failureRate: undefined }],
    [
      'no failure rate beside consecutiveFailures',
      { consecutiveFailures: 3 },
      { failureRate: undefined },
    ],
    ['no failure rate beside readyToTrip', { readyToTrip: () => true }, { failureRate: undefined }],
    [
      'both when both are given',
      { consecutiveFailures: 3, failureRate: 0.1 },
      { failureRate: 0.1, consecutiveFailures: 3 },
    ],
    ['no more minimumCalls than the window holds', { window: { calls: 5 } }, { minimumCalls: 5 }],
    [
      'as many successes as probes',
      { halfOpen: { maxCalls: 3 } },
      { maxProbes: 3, successThreshold: 3 },
    ],
  ])('have %s', (_what, options, expected) => {
    const [{ breaker }, problems] = settle(options);
    expect(problems).toEqual([]);
    expect(breaker).toMatchObject(expected);
  });

  it.each<[string, CircuitBreakerOptions, string]>([
    ['a duration', { window: '2s' }, '2000 ms in 20 by end'],
    ['a short duration', { window: 100 }, '100 ms in 10 by end'],
    ['a long duration', { window: '1h' }, '3600000 ms in 60 by end'],
    [
      'a duration with buckets',
      { window: { duration: '1m', buckets: 6, countAt: 'start' } },
      '60000 ms in 6 by start',
    ],
    ['a duration by end', { window: { duration: '1s', countAt: 'end' } }, '1000 ms in 10 by end'],
    ['a number of calls', { window: { calls: 100 } }, '100 calls'],
    ['all calls, without a rate', { consecutiveFailures: 3 }, 'cumulative'],
    ['all calls, with a resetInterval', { failureRate: 0.5, resetInterval: '1m' }, 'cumulative'],
    ['all calls, with a resetInterval that never ends', { resetInterval: Infinity }, 'cumulative'],
    ['the last 10 s, with a slow-call rate', { slowCallRate: 0.5 }, '10000 ms in 60 by end'],
    [
      'the last 10 s, with a failure rate beside another condition',
      { failureRate: 0.5, consecutiveFailures: 3 },
      '10000 ms in 60 by end',
    ],
    ['the given one, without a rate', { consecutiveFailures: 3, window: { calls: 5 } }, '5 calls'],
  ])('have a window: %s', (_what, options, id) => {
    const [{ breaker }, problems] = settle(options);
    expect(problems).toEqual([]);
    expect(breaker.window.id).toBe(id);
  });

  it.each<[string, object, string]>([
    ['a rate of 0', { failureRate: 0 }, 'failureRate is 0; use a number above 0 and at most 1'],
    [
      'a rate in per cent',
      { failureRate: 50 },
      'failureRate is 50; use a number above 0 and at most 1',
    ],
    [
      'a slow-call rate above 1',
      { slowCallRate: 2 },
      'slowCallRate is 2; use a number above 0 and at most 1',
    ],
    [
      'no failures',
      { consecutiveFailures: 0 },
      'consecutiveFailures is 0; use a whole number of at least 1',
    ],
    ['no calls', { minimumCalls: 0 }, 'minimumCalls is 0; use a whole number of at least 1'],
    [
      'no probes',
      { halfOpen: { maxCalls: 0 } },
      'halfOpen.maxCalls is 0; use a whole number of at least 1',
    ],
    [
      'no successes',
      { halfOpen: { successThreshold: 0 } },
      'halfOpen.successThreshold is 0; use a whole number of at least 1',
    ],
    [
      'no time for probes',
      { halfOpen: { maxDuration: 0 } },
      `halfOpen.maxDuration is 0; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' above 0`,
    ],
    ['no keys', { maxKeys: 0 }, 'maxKeys is 0; use a whole number of at least 1'],
    [
      'an empty window',
      { window: { calls: 0 } },
      'window.calls is 0; use a whole number of at least 1 and at most 1000000',
    ],
    [
      'a misspelt window',
      { window: { call: 5 } },
      'window has neither duration nor calls; use one of them',
    ],
    [
      'a window of no time',
      { window: { duration: 0 } },
      `window.duration is 0; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' above 0`,
    ],
    [
      'no buckets',
      { window: { duration: '1s', buckets: 0 } },
      'window.buckets is 0; use a whole number of at least 1 and at most 10000',
    ],
    [
      'another countAt',
      { window: { duration: '1s', countAt: 'middle' } },
      `window.countAt is 'middle'; use 'start' or 'end'`,
    ],
    [
      'two windows',
      { window: '1s', resetInterval: '1s' },
      'window and resetInterval exclude each other',
    ],
    [
      'a misspelt option',
      { halfOpen: { maxProbes: 1 } },
      'halfOpen.maxProbes is not an option; the options are halfOpen.maxCalls, halfOpen.successThreshold, halfOpen.maxDuration',
    ],
    ['an empty name', { name: '' }, `name is ''; use a non-empty string`],
    [
      'a key that is not a function',
      { key: 'host' },
      `key is 'host'; use a function; a method name works only on decorated methods`,
    ],
    [
      'more minimumCalls than the window holds',
      { window: { calls: 10 }, minimumCalls: 11 },
      'minimumCalls (11) is more than the window holds (10 calls), so the circuit would never open',
    ],
    [
      'more consecutiveFailures than the window holds',
      { window: { calls: 10 }, consecutiveFailures: 11 },
      'consecutiveFailures (11) is more than the window holds (10 calls), so the circuit would never open',
    ],
    [
      'slow calls that would have failed already',
      { slowCallRate: 0.5, slowCallDuration: '10s', maxCallDuration: '5s' },
      'slowCallDuration (10000 ms) is longer than maxCallDuration (5000 ms), so a slow call would always count as hung first',
    ],
    [
      'a backoff that contradicts itself',
      { openFor: exponential({ initialDelay: '1m', maxDelay: '1s' }) },
      'maxDelay (1000 ms) is shorter than initialDelay (60000 ms)',
    ],
    [
      'a rule beside classify',
      { classify: () => 'success', on: [Error] },
      'classify decides alone, on would have no effect; use one of them',
    ],
  ])('must not have %s', (_what, options, problem) => {
    expect(problemsOf(options)).toContain(problem);
  });

  it('have all problems of two windows reported', () => {
    expect(problemsOf({ window: -1, resetInterval: '1s' })).toEqual([
      'window and resetInterval exclude each other',
      expect.stringMatching(/^window is -1; use /),
    ]);
  });

  it.each(['openFor', 'slowCallDuration', 'maxCallDuration', 'resetInterval', 'window'])(
    'have no %s of 0',
    (option) => {
      expect(problemsOf({ [option]: 0 })[0]).toMatch(new RegExp(`^${option} is 0; use `));
    },
  );

  it('may count exactly as many calls as the window holds', () => {
    expect(
      problemsOf({
        window: { calls: 10 },
        minimumCalls: 10,
        consecutiveFailures: 10,
        failureRate: 1,
      }),
    ).toEqual([]);
  });

  it('may have minimumCalls without a rate', () => {
    expect(problemsOf({ consecutiveFailures: 2, window: { calls: 5 }, minimumCalls: 20 })).toEqual(
      [],
    );
  });

  it('classify by ignore, skip, on and onResult', () => {
    const [{ breaker }] = settle({
      on: [TypeError],
      skip: [RangeError],
      ignore: [EvalError],
      onResult: (result) => result === 1,
    });
    const { classifier } = breaker;
    expect(classifier.ofError(new TypeError())).toBe('failure');
    expect(classifier.ofError(new RangeError())).toBe('success');
    expect(classifier.ofError(new EvalError())).toBe('ignored');
    expect(classifier.ofResult(1)).toBe('failure');
  });

  it('classify by classify alone when it is given', () => {
    const classify = jest.fn().mockReturnValue('ignored');
    const { classifier } = settle({ classify })[0].breaker;
    expect(classifier.ofError('x')).toBe('ignored');
    expect(classifier.ofResult(7)).toBe('ignored');
    expect(classify.mock.calls).toEqual([
      ['x', undefined],
      [undefined, 7],
    ]);
  });

  it('ignore a classify that throws: errors are failures, results are successes', () => {
    const classify = (): never => {
      throw new Error('broken');
    };
    const { classifier } = settle({ classify })[0].breaker;
    expect(classifier.ofError('x')).toBe('failure');
    expect(classifier.ofResult(7)).toBe('success');
  });
});
