import { breakerAt } from '../../test/support/breaker.js';
import { problemsOf, settingsOf } from '../../test/support/read-options.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import {
  type GobreakerCounts,
  type GobreakerSettings,
  gobreaker,
  toGobreakerCounts,
} from './gobreaker.js';
import { readCircuitBreakerOptions } from '../policies/circuit-breaker/options.js';
import type { Permit } from '../policies/circuit-breaker/permit.js';

/** sony/gobreaker's `CircuitBreaker`, as its tests use it. */
class Gobreaker {
  time = 0;
  readonly breaker: CircuitBreaker;

  constructor(settings: GobreakerSettings = {}) {
    const { breaker } = settingsOf(
      readCircuitBreakerOptions,
      gobreaker({ name: 'cb', ...settings }),
    );
    this.breaker = breakerAt(() => this.time, breaker);
  }

  sleep(seconds: number): void {
    this.time += Math.round(seconds * 1_000);
  }

  get state(): string {
    return this.breaker.state;
  }

  get counts(): GobreakerCounts {
    return toGobreakerCounts(this.breaker.counts);
  }

  allow(): Permit {
    const permit = this.breaker.tryAcquire();
    if (permit === undefined) throw new Error('rejected');
    return permit;
  }

  succeed(times = 1): void {
    for (let i = 0; i < times; i++) this.allow().success();
  }

  fail(times = 1): void {
    for (let i = 0; i < times; i++) this.allow().failure(new Error('fail'));
  }

  /** `Execute` of a function that returns or throws. */
  async execute(error?: unknown): Promise<void> {
    const work = (): Promise<void> =>
      error === undefined ? Promise.resolve() : Promise.reject(error);
    await this.breaker.execute(work).catch((thrown: unknown) => {
      expect(thrown).toBe(error);
    });
  }
}

/** requests, successes, failures, exclusions, successes in a row, failures in a row */
function countsOf(...values: [number, number, number, number, number, number]): GobreakerCounts {
  const [requests, totalSuccesses, totalFailures, totalExclusions, inARow, failuresInARow] = values;
  return {
    requests,
    totalSuccesses,
    totalFailures,
    totalExclusions,
    consecutiveSuccesses: inARow,
    consecutiveFailures: failuresInARow,
  };
}

const ZERO = countsOf(0, 0, 0, 0, 0, 0);

describe('gobreaker() with its defaults', () => {
  it('trips at the sixth failure in a row, for 60 s, and closes after one success', () => {
    const cb = new Gobreaker();
    cb.fail(5);
    expect(cb.state).toBe('closed');
    expect(cb.counts).toEqual(countsOf(5, 0, 5, 0, 0, 5));
    cb.succeed();
    expect(cb.counts).toEqual(countsOf(6, 1, 5, 0, 1, 0));
    cb.fail(6);
    expect(cb.state).toBe('open');
    expect(cb.counts).toEqual(ZERO);

    expect(() => cb.fail()).toThrow('rejected');
    expect(cb.counts).toEqual(ZERO);
    cb.sleep(59.999);
    expect(cb.state).toBe('open');
    cb.sleep(0.002);
    expect(cb.state).toBe('half-open');

    cb.fail();
    expect(cb.state).toBe('open');
    cb.sleep(59.999);
    expect(cb.state).toBe('open');
    cb.sleep(0.002);
    expect(cb.state).toBe('half-open');
    cb.succeed();
    expect(cb.state).toBe('closed');
    expect(cb.counts).toEqual(ZERO);
  });

  it('never clears the counts of a closed circuit', () => {
    const cb = new Gobreaker();
    cb.fail(5);
    cb.sleep(1e9);
    expect(cb.counts.consecutiveFailures).toBe(5);
    cb.fail();
    expect(cb.state).toBe('open');
  });

  it.each([
    ['zero', { maxRequests: 0, interval: 0, bucketPeriod: 0, timeout: 0 }],
    ['less', { interval: -1, bucketPeriod: -1, timeout: -1 }],
  ])('reads %s as the default', (_what, settings) => {
    const cb = new Gobreaker(settings);
    cb.fail(5);
    cb.sleep(1e6);
    cb.fail();
    cb.sleep(59.999);
    expect(cb.state).toBe('open');
    cb.sleep(0.002);
    expect(cb.state).toBe('half-open');
    cb.succeed();
    expect(cb.state).toBe('closed');
  });

  it('takes its name from the settings', () => {
    expect(gobreaker({ name: 'HTTP GET' }).name).toBe('HTTP GET');
    expect(gobreaker()).not.toHaveProperty('name');
  });

  it('leaves wrong settings to the check at bootstrap', () => {
    expect(
      problemsOf(readCircuitBreakerOptions, gobreaker({ interval: '10s', bucketPeriod: '1s' })),
    ).toEqual([]);
    expect(
      problemsOf(readCircuitBreakerOptions, gobreaker({ interval: 'soon' as never })),
    ).not.toEqual([]);
  });
});

describe('gobreaker() with a fixed window', () => {
  const settings: GobreakerSettings = {
    maxRequests: 3,
    interval: '30s',
    timeout: '90s',
    readyToTrip: ({ requests, totalFailures }) => requests >= 3 && totalFailures / requests >= 0.6,
  };

  it('clears the counts after the interval, counted from the first use after the last one ended', () => {
    const cb = new Gobreaker(settings);
    for (let i = 0; i < 5; i++) {
      cb.succeed();
      cb.fail();
    }
    expect(cb.state).toBe('closed');
    expect(cb.counts).toEqual(countsOf(10, 5, 5, 0, 0, 1));

    cb.sleep(29);
    cb.succeed();
    expect(cb.counts).toEqual(countsOf(11, 6, 5, 0, 1, 0));
    cb.sleep(1.001);
    cb.fail();
    expect(cb.counts).toEqual(countsOf(1, 0, 1, 0, 0, 1));

    cb.sleep(29.999);
    expect(cb.counts.requests).toBe(1);
    cb.sleep(0.002);
    expect(cb.counts).toEqual(ZERO);
  });

  it('trips by its ratio, admits maxRequests and closes when as many have succeeded', () => {
    const cb = new Gobreaker(settings);
    cb.succeed();
    cb.fail(2);
    expect(cb.state).toBe('open');
    cb.sleep(89.999);
    expect(cb.state).toBe('open');
    cb.sleep(0.002);
    expect(cb.state).toBe('half-open');

    cb.succeed(2);
    expect(cb.state).toBe('half-open');
    expect(cb.counts).toEqual(countsOf(2, 2, 0, 0, 2, 0));
    cb.succeed();
    expect(cb.state).toBe('closed');
  });

  it('rejects beyond maxRequests while they run', () => {
    const cb = new Gobreaker(settings);
    cb.fail(3);
    cb.sleep(90.001);
    const probes = [cb.allow(), cb.allow(), cb.allow()];
    expect(() => cb.allow()).toThrow('rejected');
    probes[0]!.success();
    expect(() => cb.allow()).toThrow('rejected');
    probes[1]!.success();
    probes[2]!.success();
    expect(cb.state).toBe('closed');
  });

  it('opens at the first failed probe, and drops the outcomes of the others', () => {
    const cb = new Gobreaker(settings);
    cb.fail(3);
    cb.sleep(90.001);
    const [failing, late] = [cb.allow(), cb.allow()];
    failing.failure();
    expect(cb.state).toBe('open');
    late.success();
    expect(cb.counts).toEqual(ZERO);
    expect(cb.state).toBe('open');
  });

  it('drops the outcome of a call that outlived its window', () => {
    const cb = new Gobreaker({ ...settings, interval: '10s' });
    const permit = cb.allow();
    cb.sleep(10.001);
    permit.failure();
    expect(cb.counts).toEqual(ZERO);
    const quick = cb.allow();
    cb.sleep(10);
    quick.failure();
    expect(cb.counts).toEqual(countsOf(1, 0, 1, 0, 0, 1));
  });

  it('never gives up on a call that hangs while closed', () => {
    const cb = new Gobreaker({ readyToTrip: () => true });
    const permit = cb.allow();
    cb.sleep(3_600);
    expect(cb.state).toBe('closed');
    permit.failure();
    expect(cb.state).toBe('open');
  });

  it('starts a generation at each change of state and at each new window', () => {
    const cb = new Gobreaker(settings);
    const generation = (): number => cb.breaker.snapshot().generation;
    const first = generation();
    cb.sleep(30.001);
    expect(generation()).toBe(first + 1);
    cb.fail(3);
    expect(generation()).toBe(first + 2);
    cb.sleep(90.001);
    expect(generation()).toBe(first + 3);
    cb.succeed(3);
    expect(generation()).toBe(first + 4);
  });
});

describe('gobreaker() with a rolling window', () => {
  /** Five buckets of 10 s. */
  const settings: GobreakerSettings = {
    interval: '50s',
    bucketPeriod: '10s',
    timeout: '90s',
    readyToTrip: ({ totalFailures }) => totalFailures >= 100,
  };

  it('forgets one bucket after another, in the same generation', () => {
    const cb = new Gobreaker(settings);
    const { generation } = cb.breaker.snapshot();
    cb.succeed(2);
    cb.sleep(10);
    cb.fail(3);
    cb.sleep(30);
    cb.succeed();
    expect(cb.counts).toEqual(countsOf(6, 3, 3, 0, 1, 0));
    cb.sleep(9.999);
    expect(cb.counts.requests).toBe(6);
    cb.sleep(0.001);
    expect(cb.counts).toEqual(countsOf(4, 1, 3, 0, 1, 0));
    cb.sleep(10);
    expect(cb.counts).toEqual(countsOf(1, 1, 0, 0, 1, 0));
    cb.sleep(1_000);
    expect(cb.counts).toEqual(ZERO);
    expect(cb.breaker.snapshot().generation).toBe(generation);
  });

  it('shortens a streak only if it is longer than the window', () => {
    const cb = new Gobreaker(settings);
    cb.fail(2);
    cb.sleep(10);
    cb.fail(3);
    expect(cb.counts.consecutiveFailures).toBe(5);
    cb.sleep(40);
    expect(cb.counts).toEqual(countsOf(3, 0, 3, 0, 0, 3));
  });

  it('credits an outcome to the bucket in which the call began', () => {
    const cb = new Gobreaker(settings);
    const permit = cb.allow();
    cb.sleep(49.999);
    permit.failure();
    expect(cb.counts).toEqual(countsOf(1, 0, 1, 0, 0, 1));
    cb.sleep(0.001);
    expect(cb.counts).toEqual(ZERO);
  });

  it('drops an outcome whose bucket has expired, for streaks too', () => {
    const cb = new Gobreaker({
      ...settings,
      readyToTrip: ({ consecutiveFailures }) => consecutiveFailures > 2,
    });
    const [success, failure] = [cb.allow(), cb.allow()];
    cb.sleep(50);
    cb.fail(2);
    success.success();
    expect(cb.counts).toEqual(countsOf(2, 0, 2, 0, 0, 2));
    cb.succeed();
    failure.failure();
    expect(cb.counts).toEqual(countsOf(3, 1, 2, 0, 1, 0));
    expect(cb.state).toBe('closed');
  });

  it('rounds the interval up to whole buckets', () => {
    const cb = new Gobreaker({ ...settings, interval: '45s' });
    cb.fail();
    cb.sleep(49.999);
    expect(cb.counts.totalFailures).toBe(1);
    cb.sleep(0.001);
    expect(cb.counts.totalFailures).toBe(0);
  });

  it('is a fixed window of one bucket when a bucket is as long as the interval', () => {
    const cb = new Gobreaker({ ...settings, interval: '7s' });
    const { generation } = cb.breaker.snapshot();
    cb.fail();
    cb.sleep(10);
    expect(cb.counts.totalFailures).toBe(1);
    cb.sleep(0.001);
    expect(cb.counts).toEqual(ZERO);
    expect(cb.breaker.snapshot().generation).toBe(generation + 1);
  });

  it('is not used without an interval', () => {
    const cb = new Gobreaker({ bucketPeriod: '1s' });
    cb.fail();
    cb.sleep(1_000);
    expect(cb.counts.totalFailures).toBe(1);
  });
});

describe('gobreaker() classifies', () => {
  it('every error as a failure, a 404 too', async () => {
    const cb = new Gobreaker();
    await cb.execute({ status: 404 });
    await cb.execute(new TypeError('x'));
    await cb.execute();
    expect(cb.counts).toEqual(countsOf(3, 1, 2, 0, 1, 0));
  });

  it('by isSuccessful, for results too', async () => {
    const isSuccessful = jest.fn((error: unknown) => error === undefined || error === 'fine');
    const cb = new Gobreaker({ isSuccessful });
    await cb.execute('fine');
    await cb.execute('bad');
    await cb.execute();
    expect(cb.counts).toEqual(countsOf(3, 2, 1, 0, 1, 0));
    expect(isSuccessful.mock.calls).toEqual([['fine'], ['bad'], [undefined]]);
  });

  it('excluded calls first, which count as requests and exclusions only', async () => {
    const isSuccessful = jest.fn((error: unknown) => error === undefined);
    const cb = new Gobreaker({ isSuccessful, isExcluded: (error) => error === 'excluded' });
    await cb.execute('bad');
    await cb.execute('excluded');
    expect(cb.counts).toEqual(countsOf(2, 0, 1, 1, 0, 1));
    expect(isSuccessful).toHaveBeenCalledTimes(1);
  });

  it('an excluded probe as no probe: its place is free again', async () => {
    const cb = new Gobreaker({
      readyToTrip: () => true,
      isExcluded: (error) => error === 'excluded',
    });
    await cb.execute('bad');
    cb.sleep(60.001);
    await cb.execute('excluded');
    expect(cb.state).toBe('half-open');
    await cb.execute();
    expect(cb.state).toBe('closed');
  });

  it('excluded results too', async () => {
    const cb = new Gobreaker({ isExcluded: (error) => error === undefined });
    await cb.execute();
    expect(cb.counts).toEqual(countsOf(1, 0, 0, 1, 0, 0));
  });
});

describe('gobreaker() passes', () => {
  it('the counts to readyToTrip, after each failure of a closed circuit only', () => {
    const readyToTrip = jest.fn((counts: GobreakerCounts) => counts.totalFailures > 1);
    const cb = new Gobreaker({ readyToTrip });
    cb.succeed();
    cb.fail();
    expect(readyToTrip.mock.calls).toEqual([[countsOf(2, 1, 1, 0, 0, 1)]]);
    cb.fail();
    cb.sleep(60.001);
    cb.fail();
    expect(readyToTrip).toHaveBeenCalledTimes(2);
  });

  it('the name and both states to onStateChange', () => {
    const onStateChange = jest.fn();
    const cb = new Gobreaker({ onStateChange, readyToTrip: () => true });
    cb.fail();
    cb.sleep(60.001);
    cb.succeed();
    expect(onStateChange.mock.calls).toEqual([
      ['cb', 'closed', 'open'],
      ['cb', 'open', 'half-open'],
      ['cb', 'half-open', 'closed'],
    ]);
  });
});

describe('gobreaker() differs intentionally', () => {
  it('a hanging probe has failed after half a minute', () => {
    const cb = new Gobreaker({ readyToTrip: () => true });
    cb.fail();
    cb.sleep(60.001);
    cb.allow();
    expect(cb.breaker.tryAcquire()).toBeUndefined();
    cb.sleep(30);
    expect(cb.state).toBe('open');
    cb.sleep(60);
    cb.succeed();
    expect(cb.state).toBe('closed');
  });

  it('onStateChange may use the breaker', () => {
    const seen: string[] = [];
    const cb = new Gobreaker({ readyToTrip: () => true, onStateChange: () => seen.push(cb.state) });
    cb.fail();
    expect(seen).toEqual(['open']);
  });

  it('stays open for its timeout, whatever the Retry-After of the failure', () => {
    const cb = new Gobreaker({ readyToTrip: () => true, timeout: '1s' });
    cb.allow().failure({ response: { headers: { 'retry-after': '60' } } });
    expect(cb.breaker.snapshot().retryAfterMs).toBe(1_000);
  });
});
