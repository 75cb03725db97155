import { FRAGILE, Harness, halfOpen, settingsOf } from '../../../test/support/breaker.js';
import type { CircuitBreakerOptions } from './options.js';

describe('reconfigure', () => {
  const reconfigure = (harness: Harness, options: CircuitBreakerOptions): void =>
    harness.breaker.reconfigure(settingsOf(options));

  it('applies a shorter maxCallDuration to new calls, and the former one to running calls', () => {
    const harness = new Harness({ consecutiveFailures: 2, maxCallDuration: '1m' });
    harness.admit();
    reconfigure(harness, { consecutiveFailures: 2, maxCallDuration: '1s' });
    harness.admit();
    harness.wait(1_000);
    expect(harness.breaker.counts.failures).toBe(1);
    harness.wait(59_000);
    expect(harness.breaker.state).toBe('open');
  });

  it('keeps state and counts when the window is the same', () => {
    const harness = new Harness({ failureRate: 0.9, minimumCalls: 4 });
    harness.fail(3);
    const { generation } = harness.breaker.snapshot();
    reconfigure(harness, { failureRate: 0.5, minimumCalls: 4 });
    expect(harness.breaker.counts.failures).toBe(3);
    expect(harness.breaker.snapshot().generation).toBe(generation);
    harness.succeed();
    expect(harness.breaker.state).toBe('open');
  });

  it.each<[string, CircuitBreakerOptions, CircuitBreakerOptions]>([
    ['time to calls', { window: '10s' }, { window: { calls: 3 } }],
    ['calls to time', { window: { calls: 9 } }, { window: '10s' }],
    ['time to time', { window: '10s' }, { window: '20s' }],
    ['no end to time', { resetInterval: '1h' }, { window: '10s' }],
    ['time to no end', { window: '10s' }, { resetInterval: '1h' }],
  ])('starts new counts in a window of another kind: from %s', (_title, from, to) => {
    const harness = new Harness({ consecutiveFailures: 3, ...from });
    harness.fail(2);
    harness.wait(500);
    const running = harness.admit();
    const { generation } = harness.breaker.snapshot();
    reconfigure(harness, { consecutiveFailures: 3, ...to });
    expect(harness.breaker.counts).toMatchObject({ successes: 0, failures: 0 });
    running.failure();
    expect(harness.breaker.counts).toMatchObject({ requests: 1, failures: 1 });
    expect(harness.breaker.snapshot()).toMatchObject({ running: 0, stale: 0, generation });
    harness.fail(2);
    expect(harness.breaker.state).toBe('open');
  });

  it('takes the newest calls over to another window of calls, smaller or larger', () => {
    const calls = (size: number): CircuitBreakerOptions => ({
      window: { calls: size },
      failureRate: 0.9,
      minimumCalls: 1_000,
      slowCallDuration: 10,
      ...(size < 1_000 && { minimumCalls: size }),
    });
    const harness = new Harness(calls(20));
    harness.succeed(19);
    harness.fail(3); // has gone around once
    harness.admit();
    reconfigure(harness, calls(5));
    expect(harness.breaker.counts).toMatchObject({ requests: 6, successes: 2, failures: 3 });
    expect(harness.breaker.counts.consecutiveFailures).toBe(3);
    reconfigure(harness, calls(8));
    expect(harness.breaker.counts).toMatchObject({ requests: 6, successes: 2, failures: 3 });
    harness.succeed(5);
    expect(harness.breaker.counts).toMatchObject({ successes: 5, failures: 3 }); // the two oldest have gone
  });

  it('lets calls of earlier windows end in a window of time, without counting them as its own', () => {
    const harness = new Harness({ window: '1s', consecutiveFailures: 9 });
    harness.wait(950);
    const first = harness.admit();
    reconfigure(harness, { window: { calls: 5 }, consecutiveFailures: 5 });
    const second = harness.admit();
    reconfigure(harness, { window: '1s', consecutiveFailures: 9 });
    harness.wait(910);
    first.failure();
    second.success();
    expect(harness.breaker.counts).toMatchObject({ requests: 2, successes: 1, failures: 1 });
    harness.wait(1_100);
    expect(harness.breaker.counts).toMatchObject({ requests: 0, successes: 0, failures: 0 });
  });

  it('keeps the probes of a half-open circuit when the window changes', () => {
    const harness = halfOpen({});
    const probe = harness.admit();
    reconfigure(harness, { ...FRAGILE, window: { calls: 9 } });
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'half-open', running: 1 });
    probe.failure();
    expect(harness.breaker.state).toBe('open');
    expect(harness.breaker.snapshot().stale).toBe(0);
  });

  it('keeps the open time of an open circuit', () => {
    const harness = new Harness(FRAGILE);
    harness.fail();
    reconfigure(harness, { ...FRAGILE, openFor: '1m' });
    expect(harness.breaker.snapshot().retryAfterMs).toBe(1_000);
    harness.wait(1_000);
    harness.fail();
    expect(harness.breaker.snapshot().retryAfterMs).toBe(60_000);
  });

  it('does not wedge a half-open circuit that has enough successes by the new rules', () => {
    const harness = halfOpen({ halfOpen: { maxCalls: 5 } });
    harness.succeed(3);
    reconfigure(harness, { ...FRAGILE, halfOpen: { maxCalls: 2 } });
    harness.succeed();
    expect(harness.breaker.state).toBe('closed');
  });

  it('shortens a running resetInterval', () => {
    const harness = new Harness({ consecutiveFailures: 5, resetInterval: '1h' });
    harness.fail();
    reconfigure(harness, { consecutiveFailures: 5, resetInterval: '1s' });
    harness.wait(1_001);
    expect(harness.breaker.counts.failures).toBe(0);
  });

  it('classifies by the new rules', async () => {
    const harness = new Harness(FRAGILE);
    reconfigure(harness, { ...FRAGILE, skip: [RangeError] });
    await expect(harness.breaker.execute(() => Promise.reject(new RangeError()))).rejects.toThrow();
    expect(harness.breaker.state).toBe('closed');
  });
});
