import { FRAGILE, Harness, START } from '../../../test/support/breaker.js';
import { constant, exponential, linear } from '../backoff/backoff.js';
import { CircuitOpenError } from './circuit-open-error.js';

describe('an open circuit', () => {
  it('rejects calls at once, and says when to call again', async () => {
    const harness = new Harness(FRAGILE);
    harness.fail();
    harness.wait(300);
    const thrown: unknown = await harness.breaker.execute(() => 1).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(CircuitOpenError);
    expect(thrown).toMatchObject({
      code: 'CIRCUIT_OPEN',
      policyName: 'storagesvc',
      retryAfterMs: 700,
      message: 'circuit "storagesvc" is open',
    });
    expect((thrown as CircuitOpenError).getStatus()).toBe(503);
    expect(harness.isRejecting).toBe(true);
    expect(harness.breaker.snapshot()).toMatchObject({
      rejected: 2,
      retryAfterMs: 700,
      running: 0,
    });
    expect(harness.breaker.counts.requests).toBe(0);
    expect(harness.of('rejected')).toEqual(
      Array(2).fill({
        type: 'rejected',
        name: 'storagesvc',
        policy: 'circuitBreaker',
        code: 'CIRCUIT_OPEN',
        retryAfterMs: 700,
      }),
    );
  });

  it('is half-open after openFor, on reading too', () => {
    const harness = new Harness(FRAGILE);
    harness.fail();
    harness.wait(999);
    expect(harness.breaker.state).toBe('open');
    harness.wait(1);
    expect(harness.breaker.state).toBe('half-open');
    expect(harness.breaker.snapshot().retryAfterMs).toBeUndefined();
    expect(harness.changes).toEqual([
      'closed > open: consecutive-failures',
      'open > half-open: open-time-elapsed',
    ]);
  });

  it('stays open for 5 s by default', () => {
    const harness = new Harness({ consecutiveFailures: 1 });
    harness.fail();
    expect(harness.breaker.snapshot().retryAfterMs).toBe(5_000);
  });

  /** How long it stays open each time, when no probe succeeds. */
  function openTimes(harness: Harness, times: number, error: unknown = new Error()): number[] {
    return Array.from({ length: times }, () => {
      harness.fail(1, error);
      const { retryAfterMs } = harness.breaker.snapshot();
      harness.wait(retryAfterMs!);
      return retryAfterMs!;
    });
  }

  it('stays open longer each time with a backoff, until it has closed', () => {
    const openFor = exponential({
      initialDelay: '1s',
      multiplier: 2,
      maxDelay: '5s',
      jitter: 'none',
    });
    const harness = new Harness({ consecutiveFailures: 1, openFor });
    expect(openTimes(harness, 5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
    harness.succeed();
    expect(harness.breaker.state).toBe('closed');
    expect(openTimes(harness, 2)).toEqual([1_000, 2_000]);
  });

  it('begins with the shortest time again after a reset', () => {
    const harness = new Harness({
      consecutiveFailures: 1,
      openFor: linear({ initialDelay: '1s', jitter: 'none' }),
    });
    expect(openTimes(harness, 2)).toEqual([1_000, 2_000]);
    harness.breaker.reset();
    expect(openTimes(harness, 1)).toEqual([1_000]);
  });

  it('spreads its open time with the given random', () => {
    const harness = new Harness({
      consecutiveFailures: 1,
      openFor: constant('1s', { jitter: 0.1 }),
    });
    harness.random = 0;
    expect(openTimes(harness, 1)).toEqual([900]);
    harness.random = 1;
    expect(openTimes(harness, 1)).toEqual([1_100]);
  });

  it.each([
    ['a negative time', () => -1],
    ['no time', () => 0],
    ['NaN', () => NaN],
    ['Infinity', () => Infinity],
    ['a string', (() => '1s') as never],
    ['the text of a number', (() => '1000') as never],
    ['nothing', (() => undefined) as never],
    ['a promise', (() => Promise.reject(new Error('late'))) as never],
    [
      'an error',
      () => {
        throw new Error('broken');
      },
    ],
  ])('stays open for 5 s when openFor gives %s, and warns', (_what, openFor: () => number) => {
    const harness = new Harness({ consecutiveFailures: 1, openFor });
    expect(openTimes(harness, 1)).toEqual([5_000]);
    expect(harness.warnings).toEqual([
      expect.stringMatching(/^circuit "storagesvc": openFor .*; it stays open for 5000 ms$/),
    ]);
  });

  it('stays closed when openFor has started it over', () => {
    const openFor = jest.fn(() => {
      harness.breaker.reset();
      return 1_000;
    });
    const harness = new Harness({ consecutiveFailures: 1, openFor });
    harness.fail();
    expect(openFor).toHaveBeenCalledTimes(1);
    expect(harness.breaker.state).toBe('closed');
    expect(harness.changes).toEqual([]);
  });

  it('calls an openFor function with the number of openings and the error', () => {
    const openFor = jest.fn().mockReturnValue(1_000);
    const harness = new Harness({ consecutiveFailures: 1, openFor });
    const error = new Error('down');
    openTimes(harness, 2, error);
    expect(openFor.mock.calls).toEqual([
      [1, error],
      [2, error],
    ]);
  });

  describe('after a failure with Retry-After', () => {
    const asking = (seconds: number): unknown => ({
      response: { status: 503, headers: { 'retry-after': String(seconds) } },
    });

    it.each([
      ['stays open for that time', {}, 20, 20_000],
      ['stays open for at most a minute because of it', {}, 3_600, 60_000],
      ['stays open for at most respectRetryAfter', { respectRetryAfter: '8s' }, 20, 8_000],
      ['stays open for openFor when that is longer', {}, 0, 1_000],
      [
        'stays open for openFor when that is longer than the cap',
        { respectRetryAfter: 500 },
        20,
        1_000,
      ],
      ['ignores it if so configured', { respectRetryAfter: false }, 20, 1_000],
    ] as const)('%s', (_what, options, seconds, ms) => {
      const harness = new Harness({ ...FRAGILE, ...options });
      expect(openTimes(harness, 1, asking(seconds))).toEqual([ms]);
    });

    it('reads a date by the wall clock', () => {
      const harness = new Harness(FRAGILE);
      harness.wait(5_000);
      const headers = { 'retry-after': new Date(START + 12_000).toUTCString() };
      expect(openTimes(harness, 1, { response: { headers } })).toEqual([7_000]);
    });
  });
});
