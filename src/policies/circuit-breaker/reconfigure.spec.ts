import { FRAGILE, Harness, halfOpen, settingsOf } from '../../../test/support/breaker.js';
import type { CircuitBreakerOptions } from './options.js';

describe('reconfigure', () => {
  const reconfigure = (harness: Harness, options: CircuitBreakerOptions): void =>
    harness.breaker.reconfigure(settingsOf(options));

  it('lets calls hang no longer than it says, beside older ones that may', () => {
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

  it('begins to count anew in another window, whose outcomes alone count', () => {
    const harness = new Harness({ window: '10s', failureRate: 0.5, minimumCalls: 2 });
    harness.fail();
    const running = harness.admit();
    reconfigure(harness, { window: { calls: 2 }, failureRate: 0.5 });
    running.failure();
    expect(harness.breaker.counts).toMatchObject({ requests: 0, failures: 0 });
    expect(harness.breaker.snapshot()).toMatchObject({ running: 0, stale: 1 });
    harness.fail(2);
    expect(harness.breaker.state).toBe('open');
  });

  it('leaves an open circuit open as long as it was to be', () => {
    const harness = new Harness(FRAGILE);
    harness.fail();
    reconfigure(harness, { ...FRAGILE, openFor: '1m' });
    expect(harness.breaker.snapshot().retryAfterMs).toBe(1_000);
    harness.wait(1_000);
    harness.fail();
    expect(harness.breaker.snapshot().retryAfterMs).toBe(60_000);
  });

  it('does not wedge a half-open circuit that has had enough successes by the new rules', () => {
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
