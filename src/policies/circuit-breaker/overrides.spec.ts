import { FRAGILE, Harness, START, halfOpen } from '../../../test/support/breaker.js';

describe('an override', () => {
  const by = { by: 'anna', reason: 'migration' } as const;

  it('has kind, author and reason, beside the state', () => {
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

  it('causes one event when it begins and one when it ends', () => {
    const harness = new Harness({});
    harness.breaker.forceOpen(by);
    harness.breaker.clearOverride();
    harness.breaker.clearOverride();
    expect(harness.of('override').map(({ name, override }) => [name, override?.kind])).toEqual([
      ['storagesvc', 'forced-open'],
      ['storagesvc', undefined],
    ]);
  });

  it.each(['forceOpen', 'observeOnly'] as const)(
    '(%s) refuses an end that is not a date, and then changes nothing',
    (steer) => {
      const harness = new Harness(FRAGILE);
      harness.fail();
      expect(() => harness.breaker[steer]({ until: new Date(NaN) })).toThrow(
        /until is Invalid Date/,
      );
      expect(harness.breaker.state).toBe('open');
      harness.wait(1_000);
      expect(harness.breaker.state).toBe('half-open');
      harness.succeed();
      expect(harness.breaker.state).toBe('closed');
    },
  );

  it('ends by itself at its time', () => {
    const harness = new Harness({});
    harness.wait(10_000);
    harness.breaker.forceOpen({ until: new Date(START + 70_000) });
    harness.wait(59_999);
    expect(harness.isRejecting).toBe(true);
    expect(harness.of('rejected')[0]!.retryAfterMs).toBe(1);
    harness.wait(1);
    expect(harness.isRejecting).toBe(false);
    expect(harness.breaker.override).toBeUndefined();
    expect(harness.of('override')).toHaveLength(2);
  });

  it('survives a reset', () => {
    const { breaker } = new Harness({});
    breaker.forceOpen();
    breaker.reset();
    expect(breaker.override?.kind).toBe('forced-open');
  });

  describe('forced-open', () => {
    it('rejects every call, without a time to call again', () => {
      const harness = new Harness({});
      harness.breaker.forceOpen();
      expect(harness.isRejecting).toBe(true);
      expect(harness.of('rejected')[0]!.retryAfterMs).toBeUndefined();
      expect(harness.breaker.snapshot()).toMatchObject({ state: 'closed', rejected: 1 });
    });

    it('admits no probes either', () => {
      const harness = halfOpen();
      harness.breaker.forceOpen();
      expect(harness.isRejecting).toBe(true);
      harness.breaker.clearOverride();
      expect(harness.isRejecting).toBe(false);
    });

    it('goes on counting the calls that were running', () => {
      const harness = new Harness({ consecutiveFailures: 2 });
      const running = [harness.admit(), harness.admit()];
      harness.breaker.forceOpen();
      running[0]!.failure();
      expect(harness.breaker.counts.failures).toBe(1);
      running[1]!.failure();
      expect(harness.breaker.state).toBe('open');
    });
  });

  describe('disabled', () => {
    it('admits every call, counts, and never opens', () => {
      const harness = new Harness({ consecutiveFailures: 2 });
      harness.breaker.disable();
      harness.fail(10);
      expect(harness.breaker.state).toBe('closed');
      expect(harness.breaker.counts).toMatchObject({ requests: 10, failures: 10 });
      expect(harness.changes).toEqual([]);
    });

    it('opens at the next failure after its end, if there is a reason', () => {
      const harness = new Harness({ consecutiveFailures: 2 });
      harness.breaker.disable();
      harness.fail(10);
      harness.breaker.clearOverride();
      expect(harness.breaker.state).toBe('closed');
      harness.fail();
      expect(harness.breaker.state).toBe('open');
    });

    it('admits calls in an open circuit, without an effect on its state', () => {
      const harness = new Harness(FRAGILE);
      harness.fail();
      harness.breaker.disable();
      harness.fail(3);
      harness.succeed(3);
      expect(harness.breaker.snapshot()).toMatchObject({ state: 'open', rejected: 0 });
      expect(harness.breaker.counts).toMatchObject({ failures: 3, successes: 3 });
      expect(harness.of('rejected')).toEqual([]);
    });

    it('never opens again after a failed probe', () => {
      const harness = halfOpen();
      harness.breaker.disable();
      harness.fail();
      expect(harness.breaker.state).toBe('half-open');
      harness.succeed();
      expect(harness.breaker.state).toBe('closed');
    });
  });

  describe('observe-only', () => {
    it('admits every call, still changes state, and reports the calls that it would have rejected', () => {
      const harness = new Harness(FRAGILE);
      harness.breaker.observeOnly();
      harness.fail();
      expect(harness.breaker.state).toBe('open');
      harness.wait(400);
      harness.succeed();
      expect(harness.of('rejected')).toEqual([
        expect.objectContaining({ code: 'CIRCUIT_OPEN', observed: true, retryAfterMs: 600 }),
      ]);
      expect(harness.breaker.snapshot()).toMatchObject({ state: 'open', rejected: 0 });
      harness.wait(600);
      harness.succeed();
      expect(harness.breaker.state).toBe('closed');
    });

    it('ignores calls beyond the probes', () => {
      const harness = halfOpen();
      harness.breaker.observeOnly();
      const probe = harness.admit();
      harness.fail();
      expect(harness.breaker.state).toBe('half-open');
      expect(harness.of('rejected')).toHaveLength(1);
      probe.success();
      expect(harness.breaker.state).toBe('closed');
    });

    it('opens again after a failed probe', () => {
      const harness = halfOpen();
      harness.breaker.observeOnly();
      harness.fail();
      expect(harness.breaker.state).toBe('open');
    });
  });
});

describe('reset', () => {
  it.each(['open', 'half-open'])('closes a circuit that is %s', (state) => {
    const harness = new Harness(FRAGILE);
    harness.fail();
    if (state === 'half-open') harness.wait(1_000);
    expect(harness.breaker.state).toBe(state);
    harness.breaker.reset();
    expect(harness.breaker.state).toBe('closed');
    expect(harness.changes.at(-1)).toBe(`${state} > closed: reset`);
  });

  it('clears the counts of a closed one, in a new generation, without a change of state', () => {
    const harness = new Harness({ consecutiveFailures: 2 });
    const { generation } = harness.breaker.snapshot();
    harness.fail();
    harness.breaker.reset();
    expect(harness.breaker.counts).toMatchObject({
      requests: 0,
      failures: 0,
      consecutiveFailures: 0,
    });
    expect(harness.breaker.snapshot().generation).toBe(generation + 1);
    harness.fail();
    expect(harness.breaker.state).toBe('closed');
    expect(harness.changes).toEqual([]);
  });
});
