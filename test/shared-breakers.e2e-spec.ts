import { closeAll, of } from './support/boot.js';
import { SHARED, SlowCalls, TestFleet } from './support/fleet.js';
import { settle } from './support/wait.js';

afterEach(closeAll);

/** The code of a call's error, or its value. */
async function ended(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: { code?: string; message: string }) => error.code ?? error.message);
}

describe('a breaker that a fleet shares', () => {
  it('opens for all when one instance sees the outage', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(3);
    await one!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'open', 'open']);
    expect(await ended(two!.call())).toBe('CIRCUIT_OPEN');
    expect(of('state-change', two!.events)).toMatchObject([{ from: 'closed', reason: 'fleet' }]);
    expect(of('state-change', one!.events)).toMatchObject([{ reason: 'consecutive-failures' }]);
    expect(two!.breaker.snapshot().retryAfterMs).toBe(5_000);
  });

  it('does not call the store per call, neither closed nor open', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(2);
    let before = fleet.memory.steps;
    for (let i = 0; i < 100; i++) await one!.call();
    expect(fleet.memory.steps).toBe(before);
    await one!.fail();
    await settle();
    before = fleet.memory.steps;
    for (let i = 0; i < 100; i++) await ended(one!.call());
    expect(fleet.memory.steps).toBe(before);
  });

  it.each([1, 2, 3])('admits at most %i probes over all instances', async (maxCalls) => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(4, { halfOpen: { maxCalls } });
    await one!.fail();
    await fleet.clock.advance(5_000);
    const slow = new SlowCalls();
    const calls = fleet.instances.flatMap(({ call }) =>
      [1, 2, 3].map(() => ended(call(slow.work))),
    );
    await settle();
    expect(slow.running).toHaveLength(maxCalls);
    for (const end of slow.running) end.resolve('books');
    const answers = await Promise.all(calls);
    expect(answers.filter((answer) => answer === 'books')).toHaveLength(maxCalls);
    expect(answers.filter((answer) => answer === 'CIRCUIT_OPEN')).toHaveLength(12 - maxCalls);
    await settle();
    expect(fleet.states).toEqual(['closed', 'closed', 'closed', 'closed']);
    expect(await ended(one!.call())).toBe('books');
  });

  it('opens again for all when a probe fails, for a time that grows with the openings of the fleet', async () => {
    const fleet = new TestFleet();
    const [one, two, three] = await fleet.start(3, {
      openFor: (attempt) => attempt * 1_000,
    });
    await one!.fail();
    await fleet.clock.advance(1_000);
    await two!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'open', 'open']);
    expect(three!.breaker.snapshot().retryAfterMs).toBe(2_000);
    await fleet.clock.advance(2_000);
    await three!.fail();
    await settle();
    expect(one!.breaker.snapshot().retryAfterMs).toBe(3_000);
    expect(of('state-change', three!.events).at(-1)).toMatchObject({ reason: 'probe-failed' });
    expect(of('state-change', one!.events).at(-1)).toMatchObject({ reason: 'fleet' });
  });

  it('waits for a prober that has died only until the end of its lease', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2, { halfOpen: { maxDuration: '10s' } });
    await one!.fail();
    await fleet.clock.advance(5_000);
    void ended(one!.call(new SlowCalls().work));
    await settle();
    one!.route.trouble = 'frozen'; // and is never heard of again
    await fleet.clock.advance(11_000);
    expect(await ended(two!.call())).toBe('CIRCUIT_OPEN');
    await fleet.clock.advance(2_500);
    expect(await ended(two!.call())).toBe('books');
    await settle();
    expect(two!.state).toBe('closed');
  });

  it('opens again for all when a probe hangs', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(2, { halfOpen: { maxDuration: '3s' } });
    await one!.fail();
    await fleet.clock.advance(5_000);
    void ended(one!.call(new SlowCalls().work));
    await fleet.clock.advance(4_300);
    expect(fleet.states).toEqual(['open', 'open']);
  });

  it('gives a lease back when its probe is ignored', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2, { ignore: [TypeError] });
    await one!.fail();
    await fleet.clock.advance(5_000);
    expect(await ended(one!.call(async () => Promise.reject(new TypeError('mine'))))).toBe('mine');
    await settle();
    expect(await ended(two!.call())).toBe('books');
  });

  it('ignores a probe that ends after its lease', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2, { halfOpen: { maxDuration: '10s' } });
    await one!.fail();
    await fleet.clock.advance(5_000);
    const slow = new SlowCalls();
    const late = ended(one!.call(slow.work));
    await settle();
    two!.breaker.reset();
    await settle();
    expect(fleet.states).toEqual(['closed', 'closed']);
    slow.running[0]!.reject(new Error('late'));
    expect(await late).toBe('late');
    await settle();
    expect(fleet.states).toEqual(['closed', 'closed']);
  });

  it('asks once for many calls, and not again before it is allowed', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    await one!.fail();
    await fleet.clock.advance(5_000);
    void ended(one!.call(new SlowCalls().work));
    await settle();
    two!.route.calls.length = 0;
    for (let i = 0; i < 20; i++) expect(await ended(two!.call())).toBe('CIRCUIT_OPEN');
    expect(two!.route.calls).toEqual(['circuit']);
    await fleet.clock.advance(1_200);
    await ended(two!.call());
    expect(two!.route.calls.filter((method) => method === 'circuit')).toHaveLength(2);
  });

  it('passes its state on to an instance that starts later', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(1);
    await one!.fail();
    await settle();
    const [late] = await fleet.start(1);
    expect(late!.state).toBe('open');
  });

  it('makes one decision among instances with different options', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(1);
    const [two] = await fleet.start(1, { consecutiveFailures: 3, openFor: '60s' });
    await two!.fail();
    await two!.fail();
    await settle();
    expect(fleet.states).toEqual(['closed', 'closed']);
    await one!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'open']);
    await fleet.clock.advance(5_000);
    expect(await ended(two!.call())).toBe('books');
    await settle();
    expect(fleet.states).toEqual(['closed', 'closed']);
  });

  it('has a breaker per key, shared key by key', async () => {
    const fleet = new TestFleet();
    const key = (work: unknown): string => (typeof work === 'function' ? work.name : '');
    const [one, two] = await fleet.start(2, { key, maxKeys: 2 });
    const red = async (): Promise<unknown> => Promise.reject(new Error('down'));
    const blue = async (): Promise<unknown> => 'blue';
    await ended(one!.call(red));
    await ended(two!.call(red));
    await settle();
    expect(await ended(two!.call(red))).toBe('CIRCUIT_OPEN');
    expect(await ended(two!.call(blue))).toBe('blue');
    expect(two!.registry.names()).toEqual(['storagesvc[red]', 'storagesvc[blue]']);
  });

  it('gives permits too: the call after the one that asked gets the lease', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    await one!.fail();
    await fleet.clock.advance(5_000);
    expect(one!.breaker.tryAcquire()).toBeUndefined();
    await settle();
    expect(await ended(two!.call())).toBe('CIRCUIT_OPEN');
    one!.breaker.tryAcquire()!.success();
    await settle();
    expect(fleet.states).toEqual(['closed', 'closed']);
  });

  it('gives an unused lease back', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    await one!.fail();
    await fleet.clock.advance(5_000);
    one!.breaker.tryAcquire();
    await fleet.clock.advance(1_000);
    expect(await ended(two!.call())).toBe('books');
  });

  it('runs work by execute() too', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    await one!.fail();
    await fleet.clock.advance(5_000);
    const slow = new SlowCalls();
    const probe = one!.breaker.execute(slow.work);
    await settle();
    await expect(two!.breaker.execute(async () => 1)).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
    });
    slow.running[0]!.resolve(7);
    expect(await probe).toBe(7);
    await settle();
    expect(fleet.states).toEqual(['closed', 'closed']);
  });
});

describe('a quorum', () => {
  it('opens the circuit of the instance that has voted at once, and that of all with enough votes', async () => {
    const fleet = new TestFleet();
    const [one, two, three] = await fleet.start(4, { scope: { quorum: 3 } });
    await one!.fail();
    await two!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'open', 'closed', 'closed']);
    await three!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'open', 'open', 'open']);
  });

  it('may be a share of the living instances', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(4, { scope: { quorum: { share: 0.5 } } });
    await one!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'closed', 'closed', 'closed']);
    await two!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'open', 'open', 'open']);
  });

  it('that is not reached leaves an instance to its own probes, without an effect on others', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(3, { scope: { quorum: 2 } });
    await one!.fail();
    await fleet.clock.advance(5_000);
    expect(fleet.states).toEqual(['half-open', 'closed', 'closed']);
    await one!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'closed', 'closed']);
    await fleet.clock.advance(5_000);
    expect(await ended(one!.call())).toBe('books');
    expect(fleet.states).toEqual(['closed', 'closed', 'closed']);
  });
});

describe('a decision of an operator', () => {
  it('applies to all at once, and to instances that start later', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(2);
    one!.breaker.forceOpen({ by: 'anna', reason: 'migration' });
    expect(one!.state).toBe('forced-open!');
    await settle();
    await fleet.start(1);
    expect(fleet.states).toEqual(['forced-open!', 'forced-open!', 'forced-open!']);
    expect(fleet.instances[2]!.breaker.override).toMatchObject({ by: 'anna', reason: 'migration' });
    fleet.instances[2]!.breaker.clearOverride();
    await settle();
    expect(fleet.states).toEqual(['closed', 'closed', 'closed']);
    expect(of('override', one!.events)).toHaveLength(2);
  });

  it('ends for all at its time', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(2);
    one!.breaker.disable({ until: new Date(fleet.clock.wall() + 60_000) });
    await settle();
    const [late] = await fleet.start(1);
    await fleet.clock.advance(59_000);
    expect(fleet.states).toEqual(['disabled!', 'disabled!', 'disabled!']);
    await fleet.clock.advance(1_000);
    expect(fleet.states).toEqual(['closed', 'closed', 'closed']);
    expect(late!.breaker.override).toBeUndefined();
  });

  it('closes the circuit of all by reset()', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(3);
    await one!.fail();
    await settle();
    two!.breaker.reset();
    await settle();
    expect(fleet.states).toEqual(['closed', 'closed', 'closed']);
  });

  it('is observed by all', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    one!.breaker.observeOnly();
    await settle();
    await two!.fail();
    await settle();
    expect(two!.breaker.state).toBe('open');
    expect(await ended(one!.call())).toBe('books');
  });

  it('applies here at once and elsewhere once the store is back, only the last one', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    one!.route.trouble = 'down';
    await fleet.clock.advance(20_000);
    one!.breaker.forceOpen({ by: 'anna' });
    one!.breaker.disable({ by: 'bert' });
    expect(fleet.states).toEqual(['disabled!', 'closed']);
    expect(of('override', one!.events)).toMatchObject([{ pending: true }, { pending: true }]);
    one!.route.trouble = undefined;
    await fleet.clock.advance(2_000);
    expect(fleet.states).toEqual(['disabled!', 'disabled!']);
    expect(of('override', two!.events)).toMatchObject([{ override: { by: 'bert' } }]);
    expect(of('override', two!.events)[0]).not.toHaveProperty('pending');
  });
});

describe('local breakers', () => {
  it('do not use the store', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(2, { ...SHARED, scope: 'local' });
    await one!.fail();
    await fleet.clock.advance(60_000);
    expect(new Set(one!.route.calls)).toEqual(new Set(['subscribe', 'heartbeat', 'settings']));
  });
});
