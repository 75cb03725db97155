import { FRAGILE, Harness } from '../../../test/support/breaker.js';

describe('a closed circuit', () => {
  it('admits every call and counts its outcome', () => {
    const { breaker, ...harness } = new Harness({});
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
    expect(harness.emitted).toEqual([]);
  });

  it('opens by default when half of at least 20 calls in 10 s have failed', () => {
    const harness = new Harness({});
    harness.fail(9);
    harness.succeed(10);
    expect(harness.breaker.state).toBe('closed');
    harness.fail();
    expect(harness.changes).toEqual(['closed > open: failure-rate']);
  });

  it('forgets calls that are older than the window', () => {
    const harness = new Harness({ window: '10s', minimumCalls: 4, failureRate: 0.5 });
    harness.fail(2);
    harness.wait(10_000);
    harness.fail(1);
    harness.succeed(1);
    expect(harness.breaker.counts).toMatchObject({ failures: 1, successes: 1 });
    expect(harness.breaker.state).toBe('closed');
  });

  it('checks rates from minimumCalls ended calls on', () => {
    const harness = new Harness({ failureRate: 0.1, minimumCalls: 5 });
    harness.admit();
    harness.admit();
    harness.fail(4);
    expect(harness.breaker.state).toBe('closed');
    harness.fail();
    expect(harness.breaker.state).toBe('open');
  });

  it('may open at the success that completes minimumCalls', () => {
    const harness = new Harness({ failureRate: 0.5, minimumCalls: 4 });
    harness.fail(3);
    harness.succeed();
    expect(harness.changes).toEqual(['closed > open: failure-rate']);
  });

  it('does not count ignored calls in the rate', () => {
    const harness = new Harness({ failureRate: 0.5, minimumCalls: 2 });
    for (let i = 0; i < 10; i++) harness.admit().ignore();
    harness.fail();
    expect(harness.breaker.state).toBe('closed');
    harness.fail();
    expect(harness.breaker.state).toBe('open');
  });

  it('opens at exactly the rate, despite floating point', () => {
    const stateAt = (percent: number, failures: number): string => {
      const harness = new Harness({
        failureRate: percent / 100,
        minimumCalls: 100,
        window: { calls: 100 },
      });
      harness.succeed(100 - failures);
      harness.fail(failures);
      return harness.breaker.state;
    };
    for (let percent = 1; percent <= 100; percent++) {
      expect([percent, stateAt(percent, percent)]).toEqual([percent, 'open']);
      expect([percent, stateAt(percent, percent - 1)]).toEqual([percent, 'closed']);
    }
  });

  it('opens at 3 failures of 30 with a rate of 0.1', () => {
    const harness = new Harness({ failureRate: 0.1, minimumCalls: 30 });
    harness.succeed(27);
    harness.fail(2);
    expect(harness.breaker.state).toBe('closed');
    harness.fail();
    expect(harness.breaker.state).toBe('open');
  });

  it('opens at the given number of failures without a success between them', () => {
    const harness = new Harness({ consecutiveFailures: 3 });
    harness.fail(2);
    harness.succeed();
    harness.fail(2);
    harness.admit().ignore();
    expect(harness.breaker.state).toBe('closed');
    harness.fail();
    expect(harness.changes).toEqual(['closed > open: consecutive-failures']);
  });

  it('takes a streak back no further than the window', () => {
    const harness = new Harness({ consecutiveFailures: 3, window: '1s' });
    harness.fail(2);
    harness.wait(1_000);
    harness.fail(2);
    expect(harness.breaker.counts.consecutiveFailures).toBe(2);
    expect(harness.breaker.state).toBe('closed');
  });

  it('checks no rate if none is given', () => {
    const harness = new Harness({ consecutiveFailures: 10_000 });
    harness.fail(100);
    expect(harness.breaker.state).toBe('closed');
  });

  describe('with readyToTrip', () => {
    it('calls it after each success and failure, with the counts', () => {
      const readyToTrip = jest.fn().mockReturnValue(false);
      const harness = new Harness({ readyToTrip });
      harness.succeed();
      harness.admit().ignore();
      expect(readyToTrip).toHaveBeenCalledTimes(1);
      harness.fail();
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
      expect(harness.breaker.state).toBe('closed');
    });

    it('opens when it returns true', () => {
      const harness = new Harness({ readyToTrip: ({ failures }) => failures === 2 });
      harness.fail(2);
      expect(harness.changes).toEqual(['closed > open: ready-to-trip']);
    });

    it('stays closed and warns when it throws', () => {
      const harness = new Harness({
        readyToTrip: () => {
          throw new Error('broken');
        },
      });
      harness.fail(10);
      expect(harness.breaker.state).toBe('closed');
      expect(harness.breaker.counts.failures).toBe(10);
      expect(harness.warnings[0]).toBe('circuit "storagesvc": readyToTrip threw Error: broken');
    });
  });

  describe('with a slow-call rate', () => {
    const options = { slowCallRate: 0.5, slowCallDuration: '1s', minimumCalls: 2 } as const;

    it('opens when that share of the calls took longer than slowCallDuration', () => {
      const harness = new Harness(options);
      harness.take(1_000, (permit) => permit.success());
      harness.take(1_000, (permit) => permit.success());
      expect(harness.breaker.counts.slow).toBe(0);
      harness.take(1_001, (permit) => permit.success());
      expect(harness.breaker.state).toBe('closed');
      harness.take(1_001, (permit) => permit.success());
      expect(harness.changes).toEqual(['closed > open: slow-call-rate']);
    });

    it('opens at exactly the rate, despite floating point', () => {
      for (const percent of [7, 14, 28, 29, 55, 56, 57]) {
        const rate = { slowCallRate: percent / 100, window: { calls: 100 }, minimumCalls: 100 };
        const harness = new Harness({ ...rate, slowCallDuration: '1s' });
        harness.succeed(100 - percent);
        for (let i = 0; i < percent; i++) {
          expect(harness.breaker.state).toBe('closed');
          harness.take(1_001, (permit) => permit.success());
        }
        expect(harness.breaker.state).toBe('open');
      }
    });

    it('does not open for failures that are quick', () => {
      const harness = new Harness(options);
      harness.fail(20);
      expect(harness.breaker.state).toBe('closed');
    });

    it('shows the rate in the snapshot', () => {
      const harness = new Harness({ ...options, minimumCalls: 10 });
      harness.take(2_000, (permit) => permit.failure());
      harness.succeed(3);
      expect(harness.breaker.snapshot()).toMatchObject({ slowCallRate: 0.25, failureRate: 0.25 });
    });
  });

  describe('and a call that hangs', () => {
    it('counts as failed and slow after maxCallDuration, although it goes on', () => {
      const harness = new Harness({ ...FRAGILE, maxCallDuration: '30s', slowCallDuration: '10s' });
      harness.admit();
      harness.wait(29_999);
      expect(harness.breaker.state).toBe('closed');
      harness.wait(1);
      expect(harness.breaker.state).toBe('open');
      expect(harness.of('state-change')[0]).toMatchObject({
        reason: 'consecutive-failures',
        counts: { failures: 1, slow: 1 },
      });
    });

    it('counts once: its later outcome has no effect', () => {
      const harness = new Harness({ consecutiveFailures: 5, maxCallDuration: '30s' });
      const hung = harness.admit();
      harness.wait(30_000);
      expect(harness.breaker.counts).toMatchObject({ requests: 1, failures: 1 });
      hung.success();
      expect(harness.breaker.counts).toMatchObject({
        failures: 1,
        successes: 0,
        consecutiveFailures: 1,
      });
      expect(harness.breaker.snapshot()).toMatchObject({ running: 0, stale: 1 });
    });

    it('counts as failed when its own late outcome is the first use of the breaker', () => {
      const harness = new Harness({ consecutiveFailures: 5, maxCallDuration: '30s' });
      const hung = harness.admit();
      harness.wait(30_000);
      hung.success();
      expect(harness.breaker.counts).toMatchObject({ failures: 1, successes: 0 });
      expect(harness.breaker.snapshot()).toMatchObject({ running: 0, stale: 1 });
    });

    it('does not hide quicker ones', () => {
      const harness = new Harness({ consecutiveFailures: 2, maxCallDuration: '30s' });
      const first = harness.admit();
      harness.wait(10_000);
      harness.admit();
      harness.wait(10_000);
      first.success();
      harness.wait(19_999);
      expect(harness.breaker.counts.failures).toBe(0);
      harness.wait(1);
      expect(harness.breaker.counts.failures).toBe(1);
    });

    it('may run endlessly when maxCallDuration is Infinity', () => {
      const harness = new Harness({ ...FRAGILE, maxCallDuration: Infinity });
      const hung = harness.admit();
      harness.wait(1e9);
      expect(harness.breaker.state).toBe('closed');
      hung.failure();
      expect(harness.breaker.state).toBe('open');
    });

    it('has a minute by default', () => {
      const harness = new Harness(FRAGILE);
      harness.admit();
      harness.wait(59_999);
      expect(harness.breaker.state).toBe('closed');
      harness.wait(1);
      expect(harness.breaker.state).toBe('open');
    });
  });

  it('starts new counts at each resetInterval, from the first use after it', () => {
    const harness = new Harness({ consecutiveFailures: 3, resetInterval: '10s' });
    const { generation } = harness.breaker.snapshot();
    harness.fail(2);
    harness.wait(10_000);
    expect(harness.breaker.counts.failures).toBe(2);
    harness.wait(5_000);
    expect(harness.breaker.counts.failures).toBe(0);
    expect(harness.breaker.snapshot().generation).toBe(generation + 1);
    harness.fail(2);
    harness.wait(10_000);
    expect(harness.breaker.counts.failures).toBe(2);
    harness.wait(1);
    expect(harness.breaker.counts.failures).toBe(0);
    expect(harness.emitted).toEqual([]);
  });
});
