import { Harness, halfOpen } from '../../../test/support/breaker.js';
import { exponential } from '../backoff/backoff.js';

const LEASE = { halfOpen: { maxDuration: '10s' } } as const;

describe('a probe that hangs', () => {
  it('has failed at the end of its lease: the circuit is open again, whatever its outcome', () => {
    const harness = halfOpen(LEASE);
    const hung = harness.admit();
    harness.wait(9_999);
    expect(harness.breaker.state).toBe('half-open');
    harness.wait(1);
    expect(harness.breaker.snapshot()).toMatchObject({
      state: 'open',
      retryAfterMs: 1_000,
      stale: 0,
    });
    hung.success();
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'open', stale: 1, running: 0 });
    expect(harness.changes.at(-1)).toBe('half-open > open: probe-failed');
  });

  it('opens the circuit as of the end of the lease, even if it is noticed much later', () => {
    const harness = halfOpen(LEASE);
    harness.admit();
    harness.wait(10_400);
    expect(harness.breaker.snapshot()).toMatchObject({
      state: 'open',
      stateForMs: 400,
      retryAfterMs: 600,
    });
  });

  it('is past when it is noticed only after the open time', () => {
    const harness = halfOpen(LEASE);
    harness.admit();
    harness.wait(11_000);
    const next = harness.admit();
    expect(next.probe).toBe(true);
    expect(harness.changes.slice(-2)).toEqual([
      'half-open > open: probe-failed',
      'open > half-open: open-time-elapsed',
    ]);
    next.success();
    expect(harness.breaker.state).toBe('closed');
    const { timeInStateMs } = harness.breaker.snapshot();
    expect(timeInStateMs).toEqual({ closed: 0, open: 2_000, 'half-open': 10_000 });
  });

  it('lets the open time grow like a failed probe', () => {
    const openFor = exponential({ initialDelay: '1s', multiplier: 2, jitter: 'none' });
    const harness = halfOpen({ ...LEASE, openFor });
    const asked: number[] = [];
    for (let hung = 0; hung < 4; hung++) {
      harness.admit();
      harness.wait(10_000);
      asked.push(harness.breaker.snapshot().retryAfterMs!);
      harness.wait(asked.at(-1)!);
    }
    expect(asked).toEqual([2_000, 4_000, 8_000, 16_000]);
  });

  it('is followed by another after the open time, not after each lease: a hanging dependency is spared', () => {
    const harness = new Harness({ ...LEASE, consecutiveFailures: 1, openFor: '60s' });
    harness.fail();
    harness.wait(60_000);
    let probes = 0;
    for (let second = 0; second < 700; second++) {
      if (harness.breaker.tryAcquire() !== undefined) probes += 1;
      harness.wait(1_000);
    }
    expect(probes).toBe(10);
  });

  it('opens the circuit while others run, whose outcomes are then stale', () => {
    const harness = halfOpen({ halfOpen: { maxCalls: 3, maxDuration: '10s' } });
    harness.admit();
    harness.wait(5_000);
    const [second, third] = [harness.admit(), harness.admit()];
    harness.wait(5_000);
    expect(harness.breaker.state).toBe('open');
    second.success();
    harness.wait(1_000);
    third.failure();
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'half-open', stale: 2, running: 0 });
  });

  it('does not open a disabled breaker, and gives its place to another', () => {
    const harness = halfOpen(LEASE);
    harness.breaker.disable();
    harness.admit();
    harness.wait(10_000);
    expect(harness.breaker.state).toBe('half-open');
    expect(harness.admit().probe).toBe(true);
  });

  it('does not open the circuit if its lease ended before the override, even if both are noticed together', () => {
    const harness = halfOpen(LEASE);
    harness.admit();
    harness.breaker.disable({ until: new Date(Date.parse('2026-01-01T00:00:00Z') + 13_000) });
    harness.wait(20_000);
    expect(harness.breaker.state).toBe('half-open');
    expect(harness.breaker.override).toBeUndefined();
  });

  it('does not make rejected callers wait longer than the lease', () => {
    const harness = new Harness({ ...LEASE, consecutiveFailures: 1, openFor: '1m' });
    harness.fail();
    harness.wait(60_000);
    harness.admit();
    harness.wait(4_000);
    expect(harness.isRejecting).toBe(true);
    expect(harness.of('rejected').at(-1)!.retryAfterMs).toBe(6_000);
  });
});

describe('an answer that is an error', () => {
  it('closes a half-open circuit: the dependency lives', async () => {
    const harness = halfOpen({
      classify: (error) => (error === undefined ? 'failure' : 'success'),
    });
    const answer = new Error('there is no such book');
    await expect(harness.breaker.execute(() => Promise.reject(answer))).rejects.toBe(answer);
    expect(harness.breaker.state).toBe('closed');
  });
});

describe('calls that run when maxCallDuration is shortened', () => {
  it('expire after the time limit at their admission, in any order, without cost for others', () => {
    const harness = new Harness({
      maxCallDuration: '60s',
      resetInterval: Infinity,
      readyToTrip: () => false,
    });
    const { breaker } = harness;
    for (let i = 0; i < 20_000; i++) harness.admit();
    breaker.reconfigure({ ...breaker['settings'], maxCallDuration: 1_000 });
    const began = process.hrtime.bigint();
    for (let i = 0; i < 5_000; i++) harness.admit().success();
    // 160 µs each when each had to be sorted in among the 20,000: 800 ms.
    expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(400);
    harness.admit();
    harness.wait(1_000);
    expect(breaker.counts).toMatchObject({ failures: 1, successes: 5_000 });
    breaker.reconfigure({ ...breaker['settings'], maxCallDuration: 60_000 });
    harness.admit();
    harness.wait(58_999);
    expect(breaker.counts.failures).toBe(1);
    harness.wait(1);
    expect(breaker.counts.failures).toBe(20_001);
    harness.wait(1_000);
    expect(breaker.counts.failures).toBe(20_002);
    expect(breaker.snapshot().running).toBe(0);
  });
});
