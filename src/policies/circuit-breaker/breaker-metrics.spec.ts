import { NotFoundException } from '@nestjs/common';
import { TimeoutError } from '../timeout/timeout-error.js';
import { down, full, quietly, setUp, timedOut } from '../../../test/support/breaker-metrics.js';
import { counts } from '../../../test/support/outcome-counts.js';
import { settingsOf } from '../../../test/support/breaker.js';

describe('a circuit breaker counts', () => {
  it('the outcome of execute()', async () => {
    const { breaker, metrics } = setUp({ onResult: (result) => result === 'bad' });
    await quietly(breaker.execute(() => Promise.reject(new NotFoundException())));
    await breaker.execute(() => 'good');
    await breaker.execute(() => 'bad');
    await quietly(breaker.execute(() => Promise.reject(new TypeError('x'))));
    await quietly(breaker.execute(() => Promise.reject(full()))); // of another one
    await quietly(breaker.execute(() => Promise.reject(timedOut())));
    expect(breaker.state).toBe('open');
    await quietly(breaker.execute(() => 1));
    expect(metrics().counts).toEqual(
      counts({
        success: 2,
        failure: 1,
        timeout: 1,
        ignored: 2,
        rejected: { circuitOpen: 1 },
      }),
    );
  });

  it('the outcome of each permit, once', () => {
    const { breaker, metrics } = setUp();
    const take = () => breaker.tryAcquire()!;
    take().success();
    take().failure(new Error('down'));
    take().success();
    take().failure();
    take().success();
    take().failure(timedOut());
    take().ignore();
    const twice = take();
    twice.success();
    twice.failure();
    expect(metrics().counts).toEqual(counts({ success: 4, failure: 2, timeout: 1, ignored: 1 }));
    breaker.forceOpen();
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(metrics().counts.rejected.circuitOpen).toBe(1);
  });

  it('by its rules: a timeout that is not a failure is a timeout, a success with an error is neither', async () => {
    const { breaker, metrics } = setUp({
      classify: (error, result) =>
        error instanceof TimeoutError || result === 'odd' ? 'ignored' : 'success',
    });
    await quietly(breaker.execute(() => Promise.reject(timedOut())));
    await quietly(breaker.execute(down));
    await breaker.execute(() => 'odd');
    expect(metrics().counts).toEqual(counts({ timeout: 1, success: 1, ignored: 1 }));
    expect(breaker.counts).toMatchObject({ ignored: 2, successes: 1 });
  });

  it('in any state, under any override', () => {
    const { breaker, metrics } = setUp({ consecutiveFailures: 1 });
    breaker.tryAcquire()!.failure();
    expect(breaker.tryAcquire()).toBeUndefined(); // open
    breaker.observeOnly();
    breaker.tryAcquire()!.success(); // admitted anyway
    breaker.disable();
    breaker.tryAcquire()!.failure();
    breaker.forceOpen();
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(metrics().counts).toEqual(
      counts({ success: 1, failure: 2, rejected: { circuitOpen: 2 } }),
    );
  });

  it('across resets and changes of its rules', () => {
    const { breaker, metrics } = setUp();
    breaker.tryAcquire()!.failure();
    breaker.reset();
    breaker.reconfigure(settingsOf({ window: { calls: 5 } }));
    breaker.tryAcquire()!.success();
    expect(breaker.counts).toMatchObject({ requests: 1, failures: 0 });
    expect(metrics().counts).toEqual(counts({ success: 1, failure: 1 }));
  });

  it('separately for each key', () => {
    const { breakers } = setUp();
    breakers.for('a')!.tryAcquire()!.success();
    breakers.for('b')!.tryAcquire()!.failure();
    const metrics = ['a', 'b'].map((key) => breakers.for(key)!.snapshot().metrics.counts);
    expect(metrics).toEqual([counts({ success: 1 }), counts({ failure: 1 })]);
  });

  it('for 10 s, latencies for a minute, whatever its own window', async () => {
    const { breaker, metrics, clock } = setUp({ window: { calls: 100 }, failureRate: 1 });
    breaker.tryAcquire()!.success();
    await clock.advance(10_000);
    expect(metrics()).toMatchObject({ counts: counts({}), latency: { count: 1 } });
    expect(breaker.counts.successes).toBe(1);
    await clock.advance(50_000);
    expect(metrics().latency.count).toBe(0);
  });
});

describe('a circuit breaker times', () => {
  it('its calls from their admission to their end', async () => {
    const { breaker, metrics, clock } = setUp();
    for (const ms of [100, 200, 600]) {
      const permit = breaker.tryAcquire()!;
      await clock.advance(ms);
      permit.success();
    }
    expect(metrics().latency).toMatchObject({ count: 3, mean: 300, min: 100, max: 600 });
    expect(metrics().totalLatency).toEqual(metrics().latency);
  });

  it('successes, failures and answers with an error, but not rejected calls or calls without an outcome', async () => {
    const { breaker, metrics, clock } = setUp({ consecutiveFailures: 9 });
    const settled = async (
      end: (permit: NonNullable<ReturnType<typeof breaker.tryAcquire>>) => void,
    ) => {
      const permit = breaker.tryAcquire()!;
      await clock.advance(10);
      end(permit);
      return metrics().latency.count;
    };
    await expect(settled((permit) => permit.success())).resolves.toBe(1);
    await expect(settled((permit) => permit.failure(new Error()))).resolves.toBe(2);
    await expect(settled((permit) => permit.failure(timedOut()))).resolves.toBe(3);
    await expect(settled((permit) => permit.ignore())).resolves.toBe(3);
    await quietly(breaker.execute(() => Promise.reject(new NotFoundException())));
    expect(metrics().latency.count).toBe(4);
    breaker.forceOpen();
    breaker.tryAcquire();
    expect(metrics().latency.count).toBe(4);
  });

  it('a good result that its rules ignore, since the work was done', async () => {
    const { breaker, metrics } = setUp({ classify: () => 'ignored' });
    await breaker.execute(() => 'odd');
    expect(metrics()).toMatchObject({ counts: { ignored: 1 }, latency: { count: 1 } });
  });
});

describe('a circuit breaker counts running calls', () => {
  it('now, and the most within the window', async () => {
    const { breaker, metrics, clock } = setUp();
    const permits = [breaker.tryAcquire()!, breaker.tryAcquire()!, breaker.tryAcquire()!];
    expect(metrics().concurrency).toEqual({ now: 3, max: 3 });
    permits[0]!.success();
    permits[1]!.ignore();
    permits[1]!.failure();
    expect(metrics().concurrency).toEqual({ now: 1, max: 3 });
    await clock.advance(10_000);
    expect(metrics().concurrency).toEqual({ now: 1, max: 1 });
    permits[2]!.failure();
    await clock.advance(10_000);
    expect(metrics().concurrency).toEqual({ now: 0, max: 0 });
  });

  it('except those that it rejects', () => {
    const { breaker, metrics } = setUp();
    breaker.forceOpen();
    breaker.tryAcquire();
    expect(metrics().concurrency).toEqual({ now: 0, max: 0 });
  });

  it('those of an older generation too, until they end', async () => {
    const { breaker, metrics, clock } = setUp({ consecutiveFailures: 1 });
    const old = [breaker.tryAcquire()!, breaker.tryAcquire()!];
    breaker.tryAcquire()!.failure();
    expect(breaker.snapshot().running).toBe(0);
    expect(metrics().concurrency.now).toBe(2);
    await clock.advance(300);
    old[0]!.success();
    old[1]!.failure(timedOut());
    expect(metrics()).toMatchObject({
      counts: counts({ success: 1, failure: 1, timeout: 1 }),
      latency: { count: 3, max: 300 },
      concurrency: { now: 0 },
    });
    expect(breaker.snapshot()).toMatchObject({
      state: 'open',
      stale: 2,
      running: 0,
      counts: { requests: 0 },
    });
  });
});

describe('a call that hangs', () => {
  it('is a timeout when its time is up, and no longer counts as running', async () => {
    const { breaker, metrics, clock } = setUp({ maxCallDuration: '10s' });
    const hung = breaker.tryAcquire()!;
    await clock.advance(9_999);
    expect(metrics()).toMatchObject({ counts: { timeout: 0 }, concurrency: { now: 1 } });
    await clock.advance(1);
    expect(metrics()).toMatchObject({
      counts: counts({ timeout: 1 }),
      concurrency: { now: 0 },
      latency: { count: 1, max: 10_000 },
    });
    hung.success();
    expect(metrics()).toMatchObject({
      counts: counts({ timeout: 1 }),
      concurrency: { now: 0 },
      latency: { count: 1 },
    });
    expect(breaker.snapshot()).toMatchObject({ stale: 1, counts: { failures: 1, successes: 0 } });
  });

  it('is noticed at the next use of the breaker', async () => {
    const { breaker, metrics, clock } = setUp({ maxCallDuration: '1s', consecutiveFailures: 9 });
    breaker.tryAcquire();
    await clock.advance(1_000);
    breaker.tryAcquire()!.success();
    expect(metrics().counts).toEqual(counts({ success: 1, timeout: 1 }));
    expect(metrics().concurrency).toEqual({ now: 0, max: 1 });
  });

  it('opens the circuit together with others, each counted once', async () => {
    const { breaker, metrics, clock } = setUp({ maxCallDuration: '1s' });
    for (let call = 0; call < 2; call++) breaker.tryAcquire();
    await clock.advance(1_000);
    expect(breaker.state).toBe('open');
    expect(metrics().counts).toEqual(counts({ timeout: 2 }));
    expect(metrics().concurrency.now).toBe(0);
  });

  it('is a timeout as a probe too', async () => {
    const { breaker, metrics, clock } = setUp({
      consecutiveFailures: 1,
      halfOpen: { maxDuration: '3s' },
    });
    breaker.tryAcquire()!.failure();
    await clock.advance(5_000);
    const probe = breaker.tryAcquire()!;
    await clock.advance(3_000);
    expect(metrics()).toMatchObject({
      counts: counts({ failure: 1, timeout: 1 }),
      concurrency: { now: 0, max: 1 },
    });
    expect(breaker.snapshot()).toMatchObject({ state: 'open', counts: { failures: 0 } });
    probe.failure();
    expect(metrics().counts).toEqual(counts({ failure: 1, timeout: 1 }));
  });

  it('is a timeout when its time is up, even if the circuit has opened meanwhile', async () => {
    const { breaker, metrics, clock } = setUp({ maxCallDuration: '10s', consecutiveFailures: 1 });
    breaker.tryAcquire(); // hangs
    breaker.tryAcquire()!.failure();
    await clock.advance(10_000);
    expect(metrics().concurrency.now).toBe(0);
    expect(metrics().counts.timeout).toBe(1);
  });

  it('is a timeout in an older generation too, but has no effect', async () => {
    const { breaker, metrics, clock } = setUp({ maxCallDuration: '10s', consecutiveFailures: 1 });
    const hung = breaker.tryAcquire()!;
    breaker.reset();
    await clock.advance(10_000);
    expect(metrics()).toMatchObject({ counts: counts({ timeout: 1 }), latency: { count: 1 } });
    expect(breaker.snapshot()).toMatchObject({
      state: 'closed',
      running: 0,
      counts: { failures: 0, requests: 0 },
    });
    hung.failure();
    expect(breaker.state).toBe('closed');
    expect(metrics().counts).toEqual(counts({ timeout: 1 }));
  });
});
