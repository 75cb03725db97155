import { Harness, halfOpen } from '../../../test/support/breaker.js';
import { exponential } from '../backoff/backoff.js';

const LEASE = { halfOpen: { maxDuration: '10s' } } as const;

describe('a probe that hangs', () => {
  it('has failed at the end of its lease: the circuit is open again, whatever comes of the probe', () => {
    const bench = halfOpen(LEASE);
    const hung = bench.admit();
    bench.wait(9_999);
    expect(bench.breaker.state).toBe('half-open');
    bench.wait(1);
    expect(bench.breaker.snapshot()).toMatchObject({
      state: 'open',
      retryAfterMs: 1_000,
      stale: 0,
    });
    hung.success();
    expect(bench.breaker.snapshot()).toMatchObject({ state: 'open', stale: 1, running: 0 });
    expect(bench.changes.at(-1)).toBe('half-open > open: probe-failed');
  });

  it('opens from the end of the lease, though nobody has looked for long', () => {
    const bench = halfOpen(LEASE);
    bench.admit();
    bench.wait(10_400);
    expect(bench.breaker.snapshot()).toMatchObject({
      state: 'open',
      stateForMs: 400,
      retryAfterMs: 600,
    });
  });

  it('is long past when nobody has looked until the open time was over too', () => {
    const bench = halfOpen(LEASE);
    bench.admit();
    bench.wait(11_000);
    const next = bench.admit();
    expect(next.probe).toBe(true);
    expect(bench.changes.slice(-2)).toEqual([
      'half-open > open: probe-failed',
      'open > half-open: open-time-elapsed',
    ]);
    next.success();
    expect(bench.breaker.state).toBe('closed');
    const { timeInStateMs } = bench.breaker.snapshot();
    expect(timeInStateMs).toEqual({ closed: 0, open: 2_000, 'half-open': 10_000 });
  });

  it('lets the open time grow, as a probe that fails does', () => {
    const openFor = exponential({ initialDelay: '1s', multiplier: 2, jitter: 'none' });
    const bench = halfOpen({ ...LEASE, openFor });
    const asked: number[] = [];
    for (let hung = 0; hung < 4; hung++) {
      bench.admit();
      bench.wait(10_000);
      asked.push(bench.breaker.snapshot().retryAfterMs!);
      bench.wait(asked.at(-1)!);
    }
    expect(asked).toEqual([2_000, 4_000, 8_000, 16_000]);
  });

  it('is asked again after the open time, not after each lease: a dependency that hangs is left in peace', () => {
    const bench = new Harness({ ...LEASE, consecutiveFailures: 1, openFor: '60s' });
    bench.fail();
    bench.wait(60_000);
    let probes = 0;
    for (let second = 0; second < 700; second++) {
      if (bench.breaker.tryAcquire() !== undefined) probes += 1;
      bench.wait(1_000);
    }
    expect(probes).toBe(10);
  });

  it('opens although others run, whose outcomes are stale then', () => {
    const bench = halfOpen({ halfOpen: { maxCalls: 3, maxDuration: '10s' } });
    bench.admit();
    bench.wait(5_000);
    const [second, third] = [bench.admit(), bench.admit()];
    bench.wait(5_000);
    expect(bench.breaker.state).toBe('open');
    second.success();
    bench.wait(1_000);
    third.failure();
    expect(bench.breaker.snapshot()).toMatchObject({ state: 'half-open', stale: 2, running: 0 });
  });

  it('opens nothing while the breaker is disabled, and gives its place to another', () => {
    const bench = halfOpen(LEASE);
    bench.breaker.disable();
    bench.admit();
    bench.wait(10_000);
    expect(bench.breaker.state).toBe('half-open');
    expect(bench.admit().probe).toBe(true);
  });

  it('opened nothing when its lease ended before the override did, even if both are found together', () => {
    const bench = halfOpen(LEASE);
    bench.admit();
    bench.breaker.disable({ until: new Date(Date.parse('2026-01-01T00:00:00Z') + 13_000) });
    bench.wait(20_000);
    expect(bench.breaker.state).toBe('half-open');
    expect(bench.breaker.override).toBeUndefined();
  });

  it('is no reason to wait longer than the lease for those who are turned away', () => {
    const bench = new Harness({ ...LEASE, consecutiveFailures: 1, openFor: '1m' });
    bench.fail();
    bench.wait(60_000);
    bench.admit();
    bench.wait(4_000);
    expect(bench.isRejecting).toBe(true);
    expect(bench.of('rejected').at(-1)!.retryAfterMs).toBe(6_000);
  });
});

describe('an answer that is an error', () => {
  it('closes a half-open circuit: the dependency lives', async () => {
    const bench = halfOpen({ classify: (error) => (error === undefined ? 'failure' : 'success') });
    const answer = new Error('there is no such book');
    await expect(bench.breaker.execute(() => Promise.reject(answer))).rejects.toBe(answer);
    expect(bench.breaker.state).toBe('closed');
  });
});

describe('calls that run when maxCallDuration is shortened', () => {
  it('expire by the time that they were admitted with, in any order, and at no cost for others', () => {
    const bench = new Harness({
      maxCallDuration: '60s',
      resetInterval: Infinity,
      readyToTrip: () => false,
    });
    const { breaker } = bench;
    for (let i = 0; i < 20_000; i++) bench.admit();
    breaker.reconfigure({ ...breaker['settings'], maxCallDuration: 1_000 });
    const began = process.hrtime.bigint();
    for (let i = 0; i < 5_000; i++) bench.admit().success();
    // 160 µs each when each had to be sorted in among the 20,000: 800 ms.
    expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(400);
    bench.admit();
    bench.wait(1_000);
    expect(breaker.counts).toMatchObject({ failures: 1, successes: 5_000 });
    breaker.reconfigure({ ...breaker['settings'], maxCallDuration: 60_000 });
    bench.admit();
    bench.wait(58_999);
    expect(breaker.counts.failures).toBe(1);
    bench.wait(1);
    expect(breaker.counts.failures).toBe(20_001);
    bench.wait(1_000);
    expect(breaker.counts.failures).toBe(20_002);
    expect(breaker.snapshot().running).toBe(0);
  });
});
