import { FRAGILE, Harness, halfOpen } from '../../../test/support/breaker.js';

describe('a half-open circuit', () => {
  it('admits one probe, rejects other calls, and closes when the probe succeeds', () => {
    const harness = halfOpen();
    const probe = harness.admit();
    expect(probe.probe).toBe(true);
    expect(harness.isRejecting).toBe(true);
    probe.success();
    expect(harness.breaker.state).toBe('closed');
    expect(harness.changes.at(-1)).toBe('half-open > closed: probes-succeeded');
    expect(harness.breaker.counts).toMatchObject({ requests: 0, successes: 0 });
  });

  it('opens again for the whole time when a probe fails', () => {
    const harness = halfOpen();
    harness.wait(500);
    harness.fail();
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'open', retryAfterMs: 1_000 });
    expect(harness.changes.at(-1)).toBe('half-open > open: probe-failed');
  });

  it('admits maxCalls probes at a time and needs as many successes', () => {
    const harness = halfOpen({ halfOpen: { maxCalls: 3 } });
    const probes = [harness.admit(), harness.admit(), harness.admit()];
    expect(harness.isRejecting).toBe(true);
    probes[0]!.success();
    probes[1]!.success();
    expect(harness.isRejecting).toBe(true);
    expect(harness.breaker.state).toBe('half-open');
    probes[2]!.success();
    expect(harness.breaker.state).toBe('closed');
  });

  it('admits no more probes than can still be needed', () => {
    const harness = halfOpen({ halfOpen: { maxCalls: 5, successThreshold: 2 } });
    harness.admit().success();
    harness.admit();
    expect(harness.isRejecting).toBe(true);
  });

  it('admits one probe after another when more successes are needed than may run at a time', () => {
    const harness = halfOpen({ halfOpen: { maxCalls: 1, successThreshold: 3 } });
    harness.succeed(2);
    expect(harness.breaker.state).toBe('half-open');
    harness.succeed();
    expect(harness.breaker.state).toBe('closed');
  });

  it('gives the place of an ignored probe to another, and draws no conclusion from it', () => {
    const harness = halfOpen();
    for (let i = 0; i < 5; i++) harness.admit().ignore();
    expect(harness.breaker.state).toBe('half-open');
    expect(harness.breaker.counts).toMatchObject({ requests: 5, ignored: 5 });
    harness.succeed();
    expect(harness.breaker.state).toBe('closed');
  });

  it('gives a probe 30 s by default', () => {
    const harness = halfOpen();
    harness.admit();
    harness.wait(29_999);
    expect(harness.breaker.state).toBe('half-open');
    harness.wait(1);
    expect(harness.breaker.state).toBe('open');
  });

  it('does not count a late success of a hung probe', () => {
    const harness = halfOpen();
    const hung = harness.admit();
    harness.wait(30_000);
    hung.success();
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'open', stale: 1 });
  });

  it('tells callers to return after the lease, but no later than after the open time', () => {
    const harness = halfOpen({ halfOpen: { maxDuration: '1500ms' } });
    harness.admit();
    expect(harness.isRejecting).toBe(true);
    harness.wait(1_200);
    expect(harness.isRejecting).toBe(true);
    expect(harness.of('rejected').map(({ retryAfterMs }) => retryAfterMs)).toEqual([1_000, 300]);
  });

  it('takes a slow probe for a failure if there is a slow-call rate, otherwise for a success', () => {
    const slow = { slowCallDuration: '1s', halfOpen: { maxDuration: '10s' } } as const;
    const looking = halfOpen({ ...slow, slowCallRate: 1 });
    looking.take(1_001, (permit) => permit.success());
    expect(looking.breaker.state).toBe('open');
    const not = halfOpen(slow);
    not.take(1_001, (permit) => permit.success());
    expect(not.breaker.state).toBe('closed');
  });

  it('counts failures from zero after it has closed', () => {
    const harness = halfOpen({ consecutiveFailures: 1 });
    harness.succeed();
    expect(harness.breaker.counts.requests).toBe(0);
  });
});

describe('an outcome that comes late', () => {
  it('of a call admitted before the circuit opened changes nothing, open or half-open', () => {
    const harness = new Harness({ ...FRAGILE, consecutiveFailures: 2 });
    const early = Array.from({ length: 4 }, () => harness.admit());
    harness.fail(2);
    early[0]!.success();
    early[1]!.failure();
    expect(harness.breaker.state).toBe('open');
    harness.wait(1_000);
    expect(harness.breaker.state).toBe('half-open');
    early[2]!.success();
    early[3]!.failure();
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'half-open', running: 0, stale: 4 });
    expect(harness.breaker.counts).toMatchObject({ successes: 0, failures: 0, ignored: 0 });
  });

  it('of a probe of an earlier half-open time changes nothing', () => {
    const harness = halfOpen({ halfOpen: { maxCalls: 2 } });
    const [first, second] = [harness.admit(), harness.admit()];
    first.failure();
    harness.wait(1_000);
    expect(harness.breaker.state).toBe('half-open');
    second.failure();
    expect(harness.breaker.state).toBe('half-open');
    expect(harness.breaker.snapshot().stale).toBe(1);
  });

  it('of a call admitted before a reset changes nothing', () => {
    const harness = new Harness(FRAGILE);
    const permit = harness.admit();
    harness.breaker.reset();
    permit.failure();
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'closed', running: 0, stale: 1 });
  });

  it('of a probe admitted before a reset changes nothing, and takes no place from a later probe', () => {
    const harness = halfOpen();
    const first = harness.admit();
    harness.breaker.reset();
    harness.fail();
    harness.wait(1_000);
    expect(harness.breaker.state).toBe('half-open');
    const second = harness.admit();
    first.success();
    first.failure();
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'half-open', running: 1, stale: 1 });
    expect(harness.isRejecting).toBe(true);
    second.success();
    expect(harness.breaker.state).toBe('closed');
  });

  it('of a call that outlasted its resetInterval changes nothing', () => {
    const harness = new Harness({ ...FRAGILE, resetInterval: '10s' });
    harness.take(10_001, (permit) => permit.failure());
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'closed', stale: 1 });
  });

  it('counts once, however often it is reported', () => {
    const harness = new Harness({ consecutiveFailures: 5 });
    const permit = harness.admit();
    permit.failure();
    permit.failure();
    permit.success();
    permit.ignore();
    expect(harness.breaker.counts).toMatchObject({
      requests: 1,
      failures: 1,
      successes: 0,
      ignored: 0,
    });
    const early = harness.admit();
    harness.breaker.reset();
    early.success();
    early.failure();
    expect(harness.breaker.snapshot()).toMatchObject({ running: 0, stale: 1 });
  });
});
