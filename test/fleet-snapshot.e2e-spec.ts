import { FLEET, type Fleet } from '../src/fleet/fleet.js';
import type { FleetSnapshot } from '../src/fleet/snapshot.js';
import { ResilienceEvents, type ResilienceStore } from '../src/index.js';
import { type Instance, TestFleet } from './support/fleet.js';
import { boot } from './support/boot.js';

function fleetOf({ app }: Pick<Instance, 'app'>): Fleet {
  return app.get<Fleet>(FLEET);
}

async function looked(fleet: TestFleet, instance: Instance): Promise<FleetSnapshot> {
  const snapshot = fleetOf(instance).snapshot();
  await fleet.clock.advance(0);
  return snapshot;
}

describe('a snapshot of the fleet', () => {
  it('has all living instances with their versions and ages, the oldest first', async () => {
    const fleet = new TestFleet();
    const [first] = await fleet.start(
      1,
      {},
      { fleet: { instanceId: 'blue', version: '1.4.2' }, store: fleet.memory },
    );
    await fleet.clock.advance(60_000);
    const [second] = await fleet.start(
      1,
      {},
      { fleet: { instanceId: 'green', version: '1.5.0' }, store: fleet.memory },
    );
    await fleet.clock.advance(5_000);
    const seen = await looked(fleet, second!);
    expect(seen).toMatchObject({ kind: 'memory', degraded: false, instanceId: 'green' });
    expect(seen.degradedForMs).toBeUndefined();
    expect(seen.instances.map(({ id, version, self }) => ({ id, version, self }))).toEqual([
      { id: 'blue', version: '1.4.2', self: false },
      { id: 'green', version: '1.5.0', self: true },
    ]);
    const [blue, green] = seen.instances;
    expect(blue!.ageMs).toBeCloseTo(65_000, -1);
    expect(blue!.silentMs).toBeLessThan(15_000);
    expect(green).toMatchObject({ ageMs: 5_000, silentMs: 0 });
    expect(green!.host).toBe(blue!.host);
    await first!.app.close();
    await fleet.clock.advance(2_000);
    const after = await looked(fleet, second!);
    expect(after.instances.map(({ id }) => id)).toEqual(['green']);
  });

  it('sums calls, failures and rejections of shared breakers over the living instances', async () => {
    const fleet = new TestFleet();
    const [a, b] = await fleet.start(2, { consecutiveFailures: 3, scope: { quorum: 2 } });
    await fleet.clock.advance(10_000);
    for (let i = 0; i < 5; i++) await a!.call();
    for (let i = 0; i < 3; i++) await b!.fail();
    for (let i = 0; i < 4; i++) await b!.call().catch(() => {});
    await fleet.clock.advance(9_000);
    const { sums, partial, windowMs } = await looked(fleet, b!);
    expect(partial).toBe(false);
    expect(windowMs).toBe(10_000);
    expect(sums).toEqual([
      { name: 'storagesvc', instances: 2, open: 1, calls: 8, failures: 3, rejections: 4 },
    ]);
  });

  it('asks the store at most once per second, for any number of readers', async () => {
    const fleet = new TestFleet();
    const [a] = await fleet.start(1);
    await fleet.clock.advance(2_000);
    const asked = (): number => a!.route.calls.filter((method) => method === 'instances').length;
    expect(asked()).toBe(0);
    await Promise.all([looked(fleet, a!), looked(fleet, a!)]);
    await looked(fleet, a!);
    expect(asked()).toBe(1);
    await fleet.clock.advance(1_000);
    await looked(fleet, a!);
    expect(asked()).toBe(2);
  });

  it.each(['down', 'throwing', 'answering nonsense', 'frozen'] as const)(
    'shows the instances last read while the store is %s',
    async (trouble) => {
      const fleet = new TestFleet();
      const [a] = await fleet.start(2);
      await fleet.clock.advance(20_000);
      await looked(fleet, a!);
      a!.route.trouble = trouble;
      await fleet.clock.advance(40_000);
      const seen = await looked(fleet, a!);
      expect(seen.degraded).toBe(true);
      expect(seen.degradedForMs).toBeGreaterThan(10_000);
      const [other, own] = ['i2', 'i1'].map((id) => seen.instances.find((each) => each.id === id));
      expect(own).toMatchObject({ self: true, silentMs: 0, ageMs: 60_000 });
      expect(other).toMatchObject({ self: false, ageMs: 60_000 });
      expect(other!.silentMs).toBeGreaterThan(40_000);
      a!.route.trouble = undefined;
      await fleet.clock.advance(3_000);
      const after = await looked(fleet, a!);
      expect(after.degraded).toBe(false);
      expect(after.instances.find(({ id }) => id === 'i2')!.silentMs).toBeLessThan(20_000);
    },
  );

  it.each(['down', 'frozen', { slowMs: 300 }] as const)(
    'says nothing about the store when the list of instances is %j, and does not ask again at once',
    async (trouble) => {
      const fleet = new TestFleet();
      const [a] = await fleet.start(1);
      const degraded = jest.fn();
      a!.app.get(ResilienceEvents).on('store-degraded', degraded);
      a!.route.methods = ['instances'];
      a!.route.trouble = trouble;
      const asked = (): number => a!.route.calls.filter((method) => method === 'instances').length;
      for (let i = 0; i < 4; i++) {
        const snapshot = fleetOf(a!).snapshot();
        await fleet.clock.advance(600);
        expect((await snapshot).instances).toHaveLength(1);
      }
      expect(asked()).toBe(2);
      expect(degraded).not.toHaveBeenCalled();
    },
  );

  it('shows only this instance before the application has started, and when the store cannot be read', async () => {
    const fleet = new TestFleet();
    const [a] = await fleet.start(1);
    a!.route.methods = ['instances'];
    a!.route.trouble = 'answering nonsense';
    await fleet.clock.advance(2_000);
    const seen = await looked(fleet, a!);
    expect(seen.instances.map(({ id }) => id)).toEqual(['i1']);
    expect(seen.degraded).toBe(false);
  });

  it('has the version of the package that npm has started, unless one is given', async () => {
    const { npm_package_version: before } = process.env;
    try {
      process.env.npm_package_version = '7.8.9';
      const fleet = new TestFleet();
      const store: ResilienceStore = fleet.memory;
      const { app } = await boot({ resilience: { clock: fleet.clock, store } });
      await fleet.clock.advance(0);
      expect((await store.instances()).map(({ version }) => version)).toEqual(['7.8.9']);
      await app.close();
    } finally {
      if (before === undefined) delete process.env.npm_package_version;
      else process.env.npm_package_version = before;
    }
  });
});
