import { HttpException } from '@nestjs/common';
import { FRAGILE, Harness, START, halfOpen, settingsOf } from '../../../test/support/breaker.js';
import { constant, exponential, linear } from '../backoff/backoff.js';
import { CircuitOpenError } from './circuit-open-error.js';
import type { CircuitBreakerOptions } from './options.js';
import type { Permit } from './permit.js';

describe('a closed circuit', () => {
  it('admits every call and counts how each ends', () => {
    const { breaker, ...bench } = new Harness({});
    expect(breaker.state).toBe('closed');
    const permits = Array.from({ length: 5 }, () => breaker.tryAcquire()!);
    permits[0]!.success();
    permits[1]!.failure(new Error());
    permits[2]!.ignore();
    permits[3]!.success();
    expect(breaker.counts).toEqual({
      requests: 5,
      successes: 2,
      failures: 1,
      ignored: 1,
      slow: 0,
      consecutiveSuccesses: 1,
      consecutiveFailures: 0,
    });
    expect(breaker.snapshot().running).toBe(1);
    expect(bench.told).toEqual([]);
  });

  it('opens by default when half of at least 20 calls in 10 s have failed', () => {
    const bench = new Harness({});
    bench.fail(9);
    bench.succeed(10);
    expect(bench.breaker.state).toBe('closed');
    bench.fail();
    expect(bench.changes).toEqual(['closed > open: failure-rate']);
  });

  it('forgets calls that are older than the window', () => {
    const bench = new Harness({ window: '10s', minimumCalls: 4, failureRate: 0.5 });
    bench.fail(2);
    bench.wait(10_000);
    bench.fail(1);
    bench.succeed(1);
    expect(bench.breaker.counts).toMatchObject({ failures: 1, successes: 1 });
    expect(bench.breaker.state).toBe('closed');
  });

  it('looks at rates from minimumCalls on, running calls not included', () => {
    const bench = new Harness({ failureRate: 0.1, minimumCalls: 5 });
    bench.admit();
    bench.admit();
    bench.fail(4);
    expect(bench.breaker.state).toBe('closed');
    bench.fail();
    expect(bench.breaker.state).toBe('open');
  });

  it('opens at a success too, when that makes the minimumCalls', () => {
    const bench = new Harness({ failureRate: 0.5, minimumCalls: 4 });
    bench.fail(3);
    bench.succeed();
    expect(bench.changes).toEqual(['closed > open: failure-rate']);
  });

  it('does not count ignored calls in the rate', () => {
    const bench = new Harness({ failureRate: 0.5, minimumCalls: 2 });
    for (let i = 0; i < 10; i++) bench.admit().ignore();
    bench.fail();
    expect(bench.breaker.state).toBe('closed');
    bench.fail();
    expect(bench.breaker.state).toBe('open');
  });

  it('opens at exactly the rate, whatever floating point makes of it', () => {
    const stateAt = (percent: number, failures: number): string => {
      const bench = new Harness({
        failureRate: percent / 100,
        minimumCalls: 100,
        window: { calls: 100 },
      });
      bench.succeed(100 - failures);
      bench.fail(failures);
      return bench.breaker.state;
    };
    for (let percent = 1; percent <= 100; percent++) {
      expect([percent, stateAt(percent, percent)]).toEqual([percent, 'open']);
      expect([percent, stateAt(percent, percent - 1)]).toEqual([percent, 'closed']);
    }
  });

  it('opens at 3 failures of 30 with a rate of 0.1', () => {
    const bench = new Harness({ failureRate: 0.1, minimumCalls: 30 });
    bench.succeed(27);
    bench.fail(2);
    expect(bench.breaker.state).toBe('closed');
    bench.fail();
    expect(bench.breaker.state).toBe('open');
  });

  it('opens at the given number of failures without a success between them', () => {
    const bench = new Harness({ consecutiveFailures: 3 });
    bench.fail(2);
    bench.succeed();
    bench.fail(2);
    bench.admit().ignore();
    expect(bench.breaker.state).toBe('closed');
    bench.fail();
    expect(bench.changes).toEqual(['closed > open: consecutive-failures']);
  });

  it('takes a streak no further back than the window', () => {
    const bench = new Harness({ consecutiveFailures: 3, window: '1s' });
    bench.fail(2);
    bench.wait(1_000);
    bench.fail(2);
    expect(bench.breaker.counts.consecutiveFailures).toBe(2);
    expect(bench.breaker.state).toBe('closed');
  });

  it('without a rate looks at no rate', () => {
    const bench = new Harness({ consecutiveFailures: 10_000 });
    bench.fail(100);
    expect(bench.breaker.state).toBe('closed');
  });

  describe('with readyToTrip', () => {
    it('asks it after each success and failure, with the counts', () => {
      const readyToTrip = jest.fn().mockReturnValue(false);
      const bench = new Harness({ readyToTrip });
      bench.succeed();
      bench.admit().ignore();
      expect(readyToTrip).toHaveBeenCalledTimes(1);
      bench.fail();
      expect(readyToTrip.mock.calls.slice(1)).toEqual([
        [
          {
            requests: 3,
            successes: 1,
            failures: 1,
            ignored: 1,
            slow: 0,
            consecutiveSuccesses: 0,
            consecutiveFailures: 1,
          },
        ],
      ]);
      expect(bench.breaker.state).toBe('closed');
    });

    it('opens when it says so', () => {
      const bench = new Harness({ readyToTrip: ({ failures }) => failures === 2 });
      bench.fail(2);
      expect(bench.changes).toEqual(['closed > open: ready-to-trip']);
    });

    it('stays closed, and says so, when it throws', () => {
      const bench = new Harness({
        readyToTrip: () => {
          throw new Error('broken');
        },
      });
      bench.fail(10);
      expect(bench.breaker.state).toBe('closed');
      expect(bench.breaker.counts.failures).toBe(10);
      expect(bench.warnings[0]).toBe('circuit "storagesvc": readyToTrip threw Error: broken');
    });
  });

  describe('with a slow-call rate', () => {
    const options = { slowCallRate: 0.5, slowCallDuration: '1s', minimumCalls: 2 } as const;

    it('opens when that share of the calls took longer than slowCallDuration', () => {
      const bench = new Harness(options);
      bench.take(1_000, (permit) => permit.success());
      bench.take(1_000, (permit) => permit.success());
      expect(bench.breaker.counts.slow).toBe(0);
      bench.take(1_001, (permit) => permit.success());
      expect(bench.breaker.state).toBe('closed');
      bench.take(1_001, (permit) => permit.success());
      expect(bench.changes).toEqual(['closed > open: slow-call-rate']);
    });

    it('opens at exactly the rate, whatever floating point makes of it', () => {
      for (const percent of [7, 14, 28, 29, 55, 56, 57]) {
        const rate = { slowCallRate: percent / 100, window: { calls: 100 }, minimumCalls: 100 };
        const bench = new Harness({ ...rate, slowCallDuration: '1s' });
        bench.succeed(100 - percent);
        for (let i = 0; i < percent; i++) {
          expect(bench.breaker.state).toBe('closed');
          bench.take(1_001, (permit) => permit.success());
        }
        expect(bench.breaker.state).toBe('open');
      }
    });

    it('does not open for failures that are quick', () => {
      const bench = new Harness(options);
      bench.fail(20);
      expect(bench.breaker.state).toBe('closed');
    });

    it('shows the rate in the snapshot', () => {
      const bench = new Harness({ ...options, minimumCalls: 10 });
      bench.take(2_000, (permit) => permit.failure());
      bench.succeed(3);
      expect(bench.breaker.snapshot()).toMatchObject({ slowCallRate: 0.25, failureRate: 0.25 });
    });
  });

  describe('and a call that hangs', () => {
    it('counts as failed and slow after maxCallDuration, though it goes on', () => {
      const bench = new Harness({ ...FRAGILE, maxCallDuration: '30s', slowCallDuration: '10s' });
      bench.admit();
      bench.wait(29_999);
      expect(bench.breaker.state).toBe('closed');
      bench.wait(1);
      expect(bench.breaker.state).toBe('open');
      expect(bench.of('state-change')[0]).toMatchObject({
        reason: 'consecutive-failures',
        counts: { failures: 1, slow: 1 },
      });
    });

    it('counts once: what becomes of it later changes nothing', () => {
      const bench = new Harness({ consecutiveFailures: 5, maxCallDuration: '30s' });
      const hung = bench.admit();
      bench.wait(30_000);
      expect(bench.breaker.counts).toMatchObject({ requests: 1, failures: 1 });
      hung.success();
      expect(bench.breaker.counts).toMatchObject({
        failures: 1,
        successes: 0,
        consecutiveFailures: 1,
      });
      expect(bench.breaker.snapshot()).toMatchObject({ running: 0, stale: 1 });
    });

    it('counts as failed when its own late outcome is the first to tell the time', () => {
      const bench = new Harness({ consecutiveFailures: 5, maxCallDuration: '30s' });
      const hung = bench.admit();
      bench.wait(30_000);
      hung.success();
      expect(bench.breaker.counts).toMatchObject({ failures: 1, successes: 0 });
      expect(bench.breaker.snapshot()).toMatchObject({ running: 0, stale: 1 });
    });

    it('hides none that are quicker', () => {
      const bench = new Harness({ consecutiveFailures: 2, maxCallDuration: '30s' });
      const first = bench.admit();
      bench.wait(10_000);
      bench.admit();
      bench.wait(10_000);
      first.success();
      bench.wait(19_999);
      expect(bench.breaker.counts.failures).toBe(0);
      bench.wait(1);
      expect(bench.breaker.counts.failures).toBe(1);
    });

    it('is waited for without end when maxCallDuration is Infinity', () => {
      const bench = new Harness({ ...FRAGILE, maxCallDuration: Infinity });
      const hung = bench.admit();
      bench.wait(1e9);
      expect(bench.breaker.state).toBe('closed');
      hung.failure();
      expect(bench.breaker.state).toBe('open');
    });

    it('has a minute by default', () => {
      const bench = new Harness(FRAGILE);
      bench.admit();
      bench.wait(59_999);
      expect(bench.breaker.state).toBe('closed');
      bench.wait(1);
      expect(bench.breaker.state).toBe('open');
    });
  });

  it('begins to count anew at each resetInterval, from the first use after it', () => {
    const bench = new Harness({ consecutiveFailures: 3, resetInterval: '10s' });
    const { generation } = bench.breaker.snapshot();
    bench.fail(2);
    bench.wait(10_000);
    expect(bench.breaker.counts.failures).toBe(2);
    bench.wait(5_000);
    expect(bench.breaker.counts.failures).toBe(0);
    expect(bench.breaker.snapshot().generation).toBe(generation + 1);
    bench.fail(2);
    bench.wait(10_000);
    expect(bench.breaker.counts.failures).toBe(2);
    bench.wait(1);
    expect(bench.breaker.counts.failures).toBe(0);
    expect(bench.told).toEqual([]);
  });
});

describe('an open circuit', () => {
  it('turns calls away at once, and says when to come again', async () => {
    const bench = new Harness(FRAGILE);
    bench.fail();
    bench.wait(300);
    const thrown: unknown = await bench.breaker.execute(() => 1).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(CircuitOpenError);
    expect(thrown).toMatchObject({
      code: 'CIRCUIT_OPEN',
      policyName: 'storagesvc',
      retryAfterMs: 700,
      message: 'circuit "storagesvc" is open',
    });
    expect((thrown as CircuitOpenError).getStatus()).toBe(503);
    expect(bench.isRejecting).toBe(true);
    expect(bench.breaker.snapshot()).toMatchObject({ rejected: 2, retryAfterMs: 700, running: 0 });
    expect(bench.breaker.counts.requests).toBe(0);
    expect(bench.of('rejected')).toEqual(
      Array(2).fill({
        type: 'rejected',
        name: 'storagesvc',
        policy: 'circuitBreaker',
        code: 'CIRCUIT_OPEN',
        retryAfterMs: 700,
      }),
    );
  });

  it('is half-open when openFor is over, on reading too', () => {
    const bench = new Harness(FRAGILE);
    bench.fail();
    bench.wait(999);
    expect(bench.breaker.state).toBe('open');
    bench.wait(1);
    expect(bench.breaker.state).toBe('half-open');
    expect(bench.breaker.snapshot().retryAfterMs).toBeUndefined();
    expect(bench.changes).toEqual([
      'closed > open: consecutive-failures',
      'open > half-open: open-time-elapsed',
    ]);
  });

  it('stays open for 5 s by default', () => {
    const bench = new Harness({ consecutiveFailures: 1 });
    bench.fail();
    expect(bench.breaker.snapshot().retryAfterMs).toBe(5_000);
  });

  /** How long it stays open each time, when no probe succeeds. */
  function openTimes(bench: Harness, times: number, error: unknown = new Error()): number[] {
    return Array.from({ length: times }, () => {
      bench.fail(1, error);
      const { retryAfterMs } = bench.breaker.snapshot();
      bench.wait(retryAfterMs!);
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
    const bench = new Harness({ consecutiveFailures: 1, openFor });
    expect(openTimes(bench, 5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
    bench.succeed();
    expect(bench.breaker.state).toBe('closed');
    expect(openTimes(bench, 2)).toEqual([1_000, 2_000]);
  });

  it('begins with the shortest time again after a reset', () => {
    const bench = new Harness({
      consecutiveFailures: 1,
      openFor: linear({ initialDelay: '1s', jitter: 'none' }),
    });
    expect(openTimes(bench, 2)).toEqual([1_000, 2_000]);
    bench.breaker.reset();
    expect(openTimes(bench, 1)).toEqual([1_000]);
  });

  it('spreads its open time with the given random', () => {
    const bench = new Harness({ consecutiveFailures: 1, openFor: constant('1s', { jitter: 0.1 }) });
    bench.random = 0;
    expect(openTimes(bench, 1)).toEqual([900]);
    bench.random = 1;
    expect(openTimes(bench, 1)).toEqual([1_100]);
  });

  it.each([
    ['a negative time', () => -1],
    ['no time', () => 0],
    ['NaN', () => NaN],
    ['Infinity', () => Infinity],
    ['a string', (() => '1s') as never],
    ['nothing', (() => undefined) as never],
    ['a promise', (() => Promise.reject(new Error('late'))) as never],
    [
      'an error',
      () => {
        throw new Error('broken');
      },
    ],
  ])('stays open for 5 s when openFor gives %s, and says so', (_what, openFor: () => number) => {
    const bench = new Harness({ consecutiveFailures: 1, openFor });
    expect(openTimes(bench, 1)).toEqual([5_000]);
    expect(bench.warnings).toEqual([
      expect.stringMatching(/^circuit "storagesvc": openFor .*; it stays open for 5000 ms$/),
    ]);
  });

  it('asks an openFor function with the number of openings and the error', () => {
    const openFor = jest.fn().mockReturnValue(1_000);
    const bench = new Harness({ consecutiveFailures: 1, openFor });
    const error = new Error('down');
    openTimes(bench, 2, error);
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
      ['waits as long as it asks', {}, 20, 20_000],
      ['waits no longer than a minute because of it', {}, 3_600, 60_000],
      ['waits no longer than respectRetryAfter', { respectRetryAfter: '8s' }, 20, 8_000],
      ['waits openFor when that is longer', {}, 0, 1_000],
      ['waits openFor when that is longer than the cap', { respectRetryAfter: 500 }, 20, 1_000],
      ['does not look at it when told so', { respectRetryAfter: false }, 20, 1_000],
    ] as const)('%s', (_what, options, seconds, ms) => {
      const bench = new Harness({ ...FRAGILE, ...options });
      expect(openTimes(bench, 1, asking(seconds))).toEqual([ms]);
    });

    it('takes a date on the wall clock', () => {
      const bench = new Harness(FRAGILE);
      bench.wait(5_000);
      const headers = { 'retry-after': new Date(START + 12_000).toUTCString() };
      expect(openTimes(bench, 1, { response: { headers } })).toEqual([7_000]);
    });
  });
});

describe('a half-open circuit', () => {
  it('admits one probe, turns other calls away, and closes when the probe succeeds', () => {
    const bench = halfOpen();
    const probe = bench.admit();
    expect(probe.probe).toBe(true);
    expect(bench.isRejecting).toBe(true);
    probe.success();
    expect(bench.breaker.state).toBe('closed');
    expect(bench.changes.at(-1)).toBe('half-open > closed: probes-succeeded');
    expect(bench.breaker.counts).toMatchObject({ requests: 0, successes: 0 });
  });

  it('opens again for the whole time when a probe fails', () => {
    const bench = halfOpen();
    bench.wait(500);
    bench.fail();
    expect(bench.breaker.snapshot()).toMatchObject({ state: 'open', retryAfterMs: 1_000 });
    expect(bench.changes.at(-1)).toBe('half-open > open: probe-failed');
  });

  it('admits maxCalls probes at a time and needs as many successes', () => {
    const bench = halfOpen({ halfOpen: { maxCalls: 3 } });
    const probes = [bench.admit(), bench.admit(), bench.admit()];
    expect(bench.isRejecting).toBe(true);
    probes[0]!.success();
    probes[1]!.success();
    expect(bench.isRejecting).toBe(true);
    expect(bench.breaker.state).toBe('half-open');
    probes[2]!.success();
    expect(bench.breaker.state).toBe('closed');
  });

  it('admits no more probes than can still be needed', () => {
    const bench = halfOpen({ halfOpen: { maxCalls: 5, successThreshold: 2 } });
    bench.admit().success();
    bench.admit();
    expect(bench.isRejecting).toBe(true);
  });

  it('lets one probe after another succeed when more successes are needed than may run at a time', () => {
    const bench = halfOpen({ halfOpen: { maxCalls: 1, successThreshold: 3 } });
    bench.succeed(2);
    expect(bench.breaker.state).toBe('half-open');
    bench.succeed();
    expect(bench.breaker.state).toBe('closed');
  });

  it('gives the place of an ignored probe to another, and decides nothing by it', () => {
    const bench = halfOpen();
    for (let i = 0; i < 5; i++) bench.admit().ignore();
    expect(bench.breaker.state).toBe('half-open');
    expect(bench.breaker.counts).toMatchObject({ requests: 5, ignored: 5 });
    bench.succeed();
    expect(bench.breaker.state).toBe('closed');
  });

  it('has 30 s for a probe by default', () => {
    const bench = halfOpen();
    bench.admit();
    bench.wait(29_999);
    expect(bench.breaker.state).toBe('half-open');
    bench.wait(1);
    expect(bench.breaker.state).toBe('open');
  });

  it('does not count a late success of a hung probe', () => {
    const bench = halfOpen();
    const hung = bench.admit();
    bench.wait(30_000);
    hung.success();
    expect(bench.breaker.snapshot()).toMatchObject({ state: 'open', stale: 1 });
  });

  it('tells callers to come again when a place may be free: the lease, but no longer than the open time', () => {
    const bench = halfOpen({ halfOpen: { maxDuration: '1500ms' } });
    bench.admit();
    expect(bench.isRejecting).toBe(true);
    bench.wait(1_200);
    expect(bench.isRejecting).toBe(true);
    expect(bench.of('rejected').map(({ retryAfterMs }) => retryAfterMs)).toEqual([1_000, 300]);
  });

  it('takes a slow probe for a bad one when it looks at slow calls, and else for a good one', () => {
    const slow = { slowCallDuration: '1s', halfOpen: { maxDuration: '10s' } } as const;
    const looking = halfOpen({ ...slow, slowCallRate: 1 });
    looking.take(1_001, (permit) => permit.success());
    expect(looking.breaker.state).toBe('open');
    const not = halfOpen(slow);
    not.take(1_001, (permit) => permit.success());
    expect(not.breaker.state).toBe('closed');
  });

  it('counts failures from zero after it has closed', () => {
    const bench = halfOpen({ consecutiveFailures: 1 });
    bench.succeed();
    expect(bench.breaker.counts.requests).toBe(0);
  });
});

describe('an outcome that comes late', () => {
  it('of a call admitted before the circuit opened changes nothing, open or half-open', () => {
    const bench = new Harness({ ...FRAGILE, consecutiveFailures: 2 });
    const early = Array.from({ length: 4 }, () => bench.admit());
    bench.fail(2);
    early[0]!.success();
    early[1]!.failure();
    expect(bench.breaker.state).toBe('open');
    bench.wait(1_000);
    expect(bench.breaker.state).toBe('half-open');
    early[2]!.success();
    early[3]!.failure();
    expect(bench.breaker.snapshot()).toMatchObject({ state: 'half-open', running: 0, stale: 4 });
    expect(bench.breaker.counts).toMatchObject({ successes: 0, failures: 0, ignored: 0 });
  });

  it('of a probe of an earlier half-open time changes nothing', () => {
    const bench = halfOpen({ halfOpen: { maxCalls: 2 } });
    const [first, second] = [bench.admit(), bench.admit()];
    first.failure();
    bench.wait(1_000);
    expect(bench.breaker.state).toBe('half-open');
    second.failure();
    expect(bench.breaker.state).toBe('half-open');
    expect(bench.breaker.snapshot().stale).toBe(1);
  });

  it('of a call admitted before a reset changes nothing', () => {
    const bench = new Harness(FRAGILE);
    const permit = bench.admit();
    bench.breaker.reset();
    permit.failure();
    expect(bench.breaker.snapshot()).toMatchObject({ state: 'closed', running: 0, stale: 1 });
  });

  it('of a call that outlasted its resetInterval changes nothing', () => {
    const bench = new Harness({ ...FRAGILE, resetInterval: '10s' });
    bench.take(10_001, (permit) => permit.failure());
    expect(bench.breaker.snapshot()).toMatchObject({ state: 'closed', stale: 1 });
  });

  it('counts once, however often it is told', () => {
    const bench = new Harness({ consecutiveFailures: 5 });
    const permit = bench.admit();
    permit.failure();
    permit.failure();
    permit.success();
    permit.ignore();
    expect(bench.breaker.counts).toMatchObject({
      requests: 1,
      failures: 1,
      successes: 0,
      ignored: 0,
    });
    const early = bench.admit();
    bench.breaker.reset();
    early.success();
    early.failure();
    expect(bench.breaker.snapshot()).toMatchObject({ running: 0, stale: 1 });
  });
});

describe('an override', () => {
  const by = { by: 'anna', reason: 'migration' } as const;

  it('says what, who and why, beside the state', () => {
    const { breaker } = new Harness({});
    expect(breaker.override).toBeUndefined();
    breaker.forceOpen(by);
    expect(breaker.override).toEqual({ kind: 'forced-open', ...by });
    expect(breaker.snapshot()).toMatchObject({
      state: 'closed',
      override: { kind: 'forced-open' },
    });
    breaker.disable();
    expect(breaker.override?.kind).toBe('disabled');
    breaker.observeOnly();
    expect(breaker.override?.kind).toBe('observe-only');
    breaker.clearOverride();
    expect(breaker.override).toBeUndefined();
  });

  it('is told when it begins and ends, once', () => {
    const bench = new Harness({});
    bench.breaker.forceOpen(by);
    bench.breaker.clearOverride();
    bench.breaker.clearOverride();
    expect(bench.of('override').map(({ name, override }) => [name, override?.kind])).toEqual([
      ['storagesvc', 'forced-open'],
      ['storagesvc', undefined],
    ]);
  });

  it.each(['forceOpen', 'observeOnly'] as const)(
    '(%s) refuses an end that is no date, and changes nothing then',
    (steer) => {
      const bench = new Harness(FRAGILE);
      bench.fail();
      expect(() => bench.breaker[steer]({ until: new Date(NaN) })).toThrow(/until is Invalid Date/);
      expect(bench.breaker.state).toBe('open');
      bench.wait(1_000);
      expect(bench.breaker.state).toBe('half-open');
      bench.succeed();
      expect(bench.breaker.state).toBe('closed');
    },
  );

  it('ends by itself at its time', () => {
    const bench = new Harness({});
    bench.wait(10_000);
    bench.breaker.forceOpen({ until: new Date(START + 70_000) });
    bench.wait(59_999);
    expect(bench.isRejecting).toBe(true);
    expect(bench.of('rejected')[0]!.retryAfterMs).toBe(1);
    bench.wait(1);
    expect(bench.isRejecting).toBe(false);
    expect(bench.breaker.override).toBeUndefined();
    expect(bench.of('override')).toHaveLength(2);
  });

  it('survives a reset', () => {
    const { breaker } = new Harness({});
    breaker.forceOpen();
    breaker.reset();
    expect(breaker.override?.kind).toBe('forced-open');
  });

  describe('forced-open', () => {
    it('turns every call away, and knows no time to come again', () => {
      const bench = new Harness({});
      bench.breaker.forceOpen();
      expect(bench.isRejecting).toBe(true);
      expect(bench.of('rejected')[0]!.retryAfterMs).toBeUndefined();
      expect(bench.breaker.snapshot()).toMatchObject({ state: 'closed', rejected: 1 });
    });

    it('admits no probes either', () => {
      const bench = halfOpen();
      bench.breaker.forceOpen();
      expect(bench.isRejecting).toBe(true);
      bench.breaker.clearOverride();
      expect(bench.isRejecting).toBe(false);
    });

    it('goes on counting the calls that were running', () => {
      const bench = new Harness({ consecutiveFailures: 2 });
      const running = [bench.admit(), bench.admit()];
      bench.breaker.forceOpen();
      running[0]!.failure();
      expect(bench.breaker.counts.failures).toBe(1);
      running[1]!.failure();
      expect(bench.breaker.state).toBe('open');
    });
  });

  describe('disabled', () => {
    it('admits every call, counts, and never opens', () => {
      const bench = new Harness({ consecutiveFailures: 2 });
      bench.breaker.disable();
      bench.fail(10);
      expect(bench.breaker.state).toBe('closed');
      expect(bench.breaker.counts).toMatchObject({ requests: 10, failures: 10 });
      expect(bench.changes).toEqual([]);
    });

    it('opens at the next failure after its end, when there is reason to', () => {
      const bench = new Harness({ consecutiveFailures: 2 });
      bench.breaker.disable();
      bench.fail(10);
      bench.breaker.clearOverride();
      expect(bench.breaker.state).toBe('closed');
      bench.fail();
      expect(bench.breaker.state).toBe('open');
    });

    it('admits calls in an open circuit, which decide nothing', () => {
      const bench = new Harness(FRAGILE);
      bench.fail();
      bench.breaker.disable();
      bench.fail(3);
      bench.succeed(3);
      expect(bench.breaker.snapshot()).toMatchObject({ state: 'open', rejected: 0 });
      expect(bench.breaker.counts).toMatchObject({ failures: 3, successes: 3 });
      expect(bench.of('rejected')).toEqual([]);
    });

    it('never opens again by a failed probe', () => {
      const bench = halfOpen();
      bench.breaker.disable();
      bench.fail();
      expect(bench.breaker.state).toBe('half-open');
      bench.succeed();
      expect(bench.breaker.state).toBe('closed');
    });
  });

  describe('observe-only', () => {
    it('admits every call, changes state all the same, and tells whom it would have turned away', () => {
      const bench = new Harness(FRAGILE);
      bench.breaker.observeOnly();
      bench.fail();
      expect(bench.breaker.state).toBe('open');
      bench.wait(400);
      bench.succeed();
      expect(bench.of('rejected')).toEqual([
        expect.objectContaining({ code: 'CIRCUIT_OPEN', observed: true, retryAfterMs: 600 }),
      ]);
      expect(bench.breaker.snapshot()).toMatchObject({ state: 'open', rejected: 0 });
      bench.wait(600);
      bench.succeed();
      expect(bench.breaker.state).toBe('closed');
    });

    it('lets calls beyond the probes decide nothing', () => {
      const bench = halfOpen();
      bench.breaker.observeOnly();
      const probe = bench.admit();
      bench.fail();
      expect(bench.breaker.state).toBe('half-open');
      expect(bench.of('rejected')).toHaveLength(1);
      probe.success();
      expect(bench.breaker.state).toBe('closed');
    });

    it('opens again by a failed probe', () => {
      const bench = halfOpen();
      bench.breaker.observeOnly();
      bench.fail();
      expect(bench.breaker.state).toBe('open');
    });
  });
});

describe('listeners', () => {
  const change = {
    type: 'state-change',
    name: 'storagesvc',
    from: 'closed',
    to: 'open',
    reason: 'consecutive-failures',
    counts: {
      requests: 3,
      successes: 1,
      failures: 1,
      ignored: 0,
      slow: 0,
      consecutiveSuccesses: 0,
      consecutiveFailures: 1,
    },
  };

  it('are told of a change with what the window held, and see the new state', () => {
    const states: unknown[] = [];
    const onStateChange = jest.fn(() => void states.push(bench.breaker.state, bench.isRejecting));
    const bench = new Harness({ ...FRAGILE, onStateChange });
    const listener = jest.fn();
    bench.breaker.onStateChange(listener);
    bench.admit();
    bench.succeed();
    bench.fail();
    expect(bench.of('state-change')).toEqual([change]);
    expect(onStateChange.mock.calls).toEqual([[change]]);
    expect(listener.mock.calls).toEqual([[change]]);
    expect(states).toEqual(['open', true]);
  });

  it('may use the breaker: reset it, or take a probe', () => {
    const bench = new Harness(FRAGILE);
    const permits: (Permit | undefined)[] = [];
    bench.breaker.onStateChange(({ to }) => {
      if (to === 'half-open') permits.push(bench.breaker.tryAcquire());
    });
    bench.fail();
    bench.wait(1_000);
    expect(bench.isRejecting).toBe(true);
    expect(permits[0]?.probe).toBe(true);
    bench.breaker.onStateChange(({ to }) => {
      if (to === 'open') bench.breaker.reset();
    });
    permits[0]!.failure();
    expect(bench.breaker.state).toBe('closed');
    expect(bench.changes.slice(-2)).toEqual([
      'half-open > open: probe-failed',
      'open > closed: reset',
    ]);
  });

  it('that throw or reject change nothing, and others are told all the same', async () => {
    const onStateChange = (): never => {
      throw new Error('broken');
    };
    const bench = new Harness({ ...FRAGILE, onStateChange });
    const last = jest.fn();
    bench.events.subscribe(() => {
      throw new Error('broken subscriber');
    });
    const rejecting = (): unknown => Promise.reject(new Error('broken promise'));
    bench.breaker.onStateChange(rejecting);
    bench.breaker.onStateChange(last);
    bench.fail();
    expect(bench.breaker.state).toBe('open');
    expect(last).toHaveBeenCalledTimes(1);
    await new Promise(setImmediate);
    expect(bench.warnings).toEqual([
      'circuit "storagesvc": a state listener threw Error: broken',
      'circuit "storagesvc": a state listener threw Error: broken promise',
    ]);
  });

  it('are told no more when they have unsubscribed', () => {
    const bench = new Harness(FRAGILE);
    const listener = jest.fn();
    bench.breaker.onStateChange(listener)();
    bench.fail();
    expect(listener).not.toHaveBeenCalled();
  });
});

describe('reset', () => {
  it.each(['open', 'half-open'])('closes a circuit that is %s', (state) => {
    const bench = new Harness(FRAGILE);
    bench.fail();
    if (state === 'half-open') bench.wait(1_000);
    expect(bench.breaker.state).toBe(state);
    bench.breaker.reset();
    expect(bench.breaker.state).toBe('closed');
    expect(bench.changes.at(-1)).toBe(`${state} > closed: reset`);
  });

  it('clears the counts of a closed one, in a new generation, without a change of state', () => {
    const bench = new Harness({ consecutiveFailures: 2 });
    const { generation } = bench.breaker.snapshot();
    bench.fail();
    bench.breaker.reset();
    expect(bench.breaker.counts).toMatchObject({
      requests: 0,
      failures: 0,
      consecutiveFailures: 0,
    });
    expect(bench.breaker.snapshot().generation).toBe(generation + 1);
    bench.fail();
    expect(bench.breaker.state).toBe('closed');
    expect(bench.changes).toEqual([]);
  });
});

describe('a snapshot', () => {
  it('shows the breaker at one moment', () => {
    const bench = new Harness({ failureRate: 0.9, minimumCalls: 10 });
    bench.wait(100);
    bench.fail();
    bench.succeed(3);
    bench.admit();
    bench.wait(50);
    expect(bench.breaker.snapshot()).toEqual({
      name: 'storagesvc',
      state: 'closed',
      override: undefined,
      counts: bench.breaker.counts,
      failureRate: 0.25,
      slowCallRate: 0,
      generation: 0,
      stateForMs: 150,
      timeInStateMs: { closed: 150, open: 0, 'half-open': 0 },
      retryAfterMs: undefined,
      running: 1,
      rejected: 0,
      stale: 0,
      limits: {
        minimumCalls: 10,
        failureRate: 0.9,
        consecutiveFailures: undefined,
        openForMs: 5_000,
      },
      metrics: expect.objectContaining({ concurrency: { now: 1, max: 1 } }),
    });
  });

  it('has rates of 0 when nothing has been counted', () => {
    expect(new Harness({}).breaker.snapshot()).toMatchObject({ failureRate: 0, slowCallRate: 0 });
  });

  it('is of one moment, though the clock goes on while it is taken', () => {
    const bench = new Harness(FRAGILE);
    bench.fail();
    bench.wait(999.5);
    bench.drift = 0.4;
    const { state, stateForMs, retryAfterMs } = bench.breaker.snapshot();
    expect(state).toBe('open');
    expect(stateForMs + retryAfterMs!).toBeCloseTo(1_000);
    bench.wait(1);
    expect(bench.breaker.snapshot()).toMatchObject({ state: 'half-open', stateForMs: 0 });
  });
});

describe('execute', () => {
  it('returns the result, or throws the very error, and counts it', async () => {
    const { breaker } = new Harness({
      consecutiveFailures: 5,
      onResult: (result) => result === 'later',
    });
    const error = new Error('down');
    const result = {};
    await expect(breaker.execute(async () => result)).resolves.toBe(result);
    await expect(breaker.execute(() => result)).resolves.toBe(result);
    await expect(breaker.execute(async () => 'later')).resolves.toBe('later');
    await expect(breaker.execute(() => Promise.reject(error))).rejects.toBe(error);
    await expect(
      breaker.execute(() => {
        throw error;
      }),
    ).rejects.toBe(error);
    await expect(
      breaker.execute(() => Promise.reject(new HttpException('x', 404))),
    ).rejects.toThrow('x');
    expect(breaker.counts).toMatchObject({ requests: 6, successes: 3, failures: 3, ignored: 0 });
    expect(breaker.snapshot().running).toBe(0);
  });

  it('does not run the work when the circuit is open', async () => {
    const bench = new Harness(FRAGILE);
    bench.fail();
    const work = jest.fn();
    await expect(bench.breaker.execute(work)).rejects.toBeInstanceOf(CircuitOpenError);
    expect(work).not.toHaveBeenCalled();
  });

  it('takes the Retry-After of the error that opens', async () => {
    const bench = new Harness(FRAGILE);
    const error = { response: { headers: { 'retry-after': '20' } } };
    await expect(bench.breaker.execute(() => Promise.reject(error as never))).rejects.toBe(error);
    expect(bench.breaker.snapshot().retryAfterMs).toBe(20_000);
  });
});

describe('reconfigure', () => {
  const reconfigure = (bench: Harness, options: CircuitBreakerOptions): void =>
    bench.breaker.reconfigure(settingsOf(options));

  it('lets calls hang no longer than it says, beside older ones that may', () => {
    const bench = new Harness({ consecutiveFailures: 2, maxCallDuration: '1m' });
    bench.admit();
    reconfigure(bench, { consecutiveFailures: 2, maxCallDuration: '1s' });
    bench.admit();
    bench.wait(1_000);
    expect(bench.breaker.counts.failures).toBe(1);
    bench.wait(59_000);
    expect(bench.breaker.state).toBe('open');
  });

  it('keeps state and counts when the window is the same', () => {
    const bench = new Harness({ failureRate: 0.9, minimumCalls: 4 });
    bench.fail(3);
    const { generation } = bench.breaker.snapshot();
    reconfigure(bench, { failureRate: 0.5, minimumCalls: 4 });
    expect(bench.breaker.counts.failures).toBe(3);
    expect(bench.breaker.snapshot().generation).toBe(generation);
    bench.succeed();
    expect(bench.breaker.state).toBe('open');
  });

  it('begins to count anew in another window, whose outcomes alone count', () => {
    const bench = new Harness({ window: '10s', failureRate: 0.5, minimumCalls: 2 });
    bench.fail();
    const running = bench.admit();
    reconfigure(bench, { window: { calls: 2 }, failureRate: 0.5 });
    running.failure();
    expect(bench.breaker.counts).toMatchObject({ requests: 0, failures: 0 });
    expect(bench.breaker.snapshot()).toMatchObject({ running: 0, stale: 1 });
    bench.fail(2);
    expect(bench.breaker.state).toBe('open');
  });

  it('leaves an open circuit open as long as it was to be', () => {
    const bench = new Harness(FRAGILE);
    bench.fail();
    reconfigure(bench, { ...FRAGILE, openFor: '1m' });
    expect(bench.breaker.snapshot().retryAfterMs).toBe(1_000);
    bench.wait(1_000);
    bench.fail();
    expect(bench.breaker.snapshot().retryAfterMs).toBe(60_000);
  });

  it('does not wedge a half-open circuit that has had enough successes by the new rules', () => {
    const bench = halfOpen({ halfOpen: { maxCalls: 5 } });
    bench.succeed(3);
    reconfigure(bench, { ...FRAGILE, halfOpen: { maxCalls: 2 } });
    bench.succeed();
    expect(bench.breaker.state).toBe('closed');
  });

  it('shortens a running resetInterval', () => {
    const bench = new Harness({ consecutiveFailures: 5, resetInterval: '1h' });
    bench.fail();
    reconfigure(bench, { consecutiveFailures: 5, resetInterval: '1s' });
    bench.wait(1_001);
    expect(bench.breaker.counts.failures).toBe(0);
  });

  it('classifies by the new rules', async () => {
    const bench = new Harness(FRAGILE);
    reconfigure(bench, { ...FRAGILE, skip: [RangeError] });
    await expect(bench.breaker.execute(() => Promise.reject(new RangeError()))).rejects.toThrow();
    expect(bench.breaker.state).toBe('closed');
  });
});

describe('a breaker is idle', () => {
  it('when it is closed, has counted nothing and nobody runs, listens or overrides', () => {
    expect(new Harness({}).breaker.idle).toBe(true);
  });

  it.each<[string, (bench: Harness) => void]>([
    ['an outcome in its window', (bench) => bench.succeed()],
    ['a running call', (bench) => void bench.admit()],
    ['a running call older than the window', (bench) => (bench.admit(), bench.wait(30_000))],
    ['an override', (bench) => bench.breaker.observeOnly()],
    ['a listener', (bench) => void bench.breaker.onStateChange(() => {})],
    ['an open circuit', (bench) => bench.fail(20)],
    ['a half-open circuit', (bench) => (bench.fail(20), bench.wait(5_000))],
    [
      'a late failure of a call that began before the window',
      (bench) => {
        const permit = bench.admit();
        bench.wait(9_950);
        permit.failure();
        bench.wait(1_050);
      },
    ],
  ])('not with %s', (_what, make) => {
    const bench = new Harness({});
    make(bench);
    expect(bench.breaker.idle).toBe(false);
  });

  it('again when its calls have left the window', () => {
    const bench = new Harness({});
    bench.succeed();
    bench.wait(10_000);
    expect(bench.breaker.idle).toBe(true);
  });
});
