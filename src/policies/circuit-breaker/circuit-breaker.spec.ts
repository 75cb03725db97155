import { HttpException } from '@nestjs/common';
import { FRAGILE, Harness } from '../../../test/support/breaker.js';
import { CircuitOpenError } from './circuit-open-error.js';

describe('a snapshot', () => {
  it('shows the breaker at one moment', () => {
    const harness = new Harness({ failureRate: 0.9, minimumCalls: 10 });
    harness.wait(100);
    harness.fail();
    harness.succeed(3);
    harness.admit();
    harness.wait(50);
    expect(harness.breaker.snapshot()).toEqual({
      name: 'storagesvc',
      scope: 'local',
      state: 'closed',
      override: undefined,
      counts: harness.breaker.counts,
      failureRate: 0.25,
      slowCallRate: 0,
      critical: false,
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

  it('is of one moment, even if the clock goes on while it is taken', () => {
    const harness = new Harness(FRAGILE);
    harness.fail();
    harness.wait(999.5);
    harness.drift = 0.4;
    const { state, stateForMs, retryAfterMs } = harness.breaker.snapshot();
    expect(state).toBe('open');
    expect(stateForMs + retryAfterMs!).toBeCloseTo(1_000);
    harness.wait(1);
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'half-open', stateForMs: 0 });
  });
});

describe('execute', () => {
  it('returns the result or throws the error itself, and counts it', async () => {
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
    const harness = new Harness(FRAGILE);
    harness.fail();
    const work = jest.fn();
    await expect(harness.breaker.execute(work)).rejects.toBeInstanceOf(CircuitOpenError);
    expect(work).not.toHaveBeenCalled();
  });

  it('honours the Retry-After of the error that opens it', async () => {
    const harness = new Harness(FRAGILE);
    const error = { response: { headers: { 'retry-after': '20' } } };
    await expect(harness.breaker.execute(() => Promise.reject(error as never))).rejects.toBe(error);
    expect(harness.breaker.snapshot().retryAfterMs).toBe(20_000);
  });
});

describe('a breaker is idle', () => {
  it('when it is closed and has no counts, running calls, listeners or override', () => {
    expect(new Harness({}).breaker.idle).toBe(true);
  });

  it.each<[string, (harness: Harness) => void]>([
    ['an outcome in its window', (harness) => harness.succeed()],
    ['a running call', (harness) => void harness.admit()],
    ['a running call older than the window', (harness) => (harness.admit(), harness.wait(30_000))],
    ['an override', (harness) => harness.breaker.observeOnly()],
    ['a listener', (harness) => void harness.breaker.onStateChange(() => {})],
    ['an open circuit', (harness) => harness.fail(20)],
    ['a half-open circuit', (harness) => (harness.fail(20), harness.wait(5_000))],
    [
      'a late failure of a call that began before the window',
      (harness) => {
        const permit = harness.admit();
        harness.wait(9_950);
        permit.failure();
        harness.wait(1_050);
      },
    ],
  ])('not with %s', (_what, make) => {
    const harness = new Harness({});
    make(harness);
    expect(harness.breaker.idle).toBe(false);
  });

  it('again when its calls have left the window', () => {
    const harness = new Harness({});
    harness.succeed();
    harness.wait(10_000);
    expect(harness.breaker.idle).toBe(true);
  });
});
