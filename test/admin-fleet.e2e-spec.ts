import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import type { AdminFleet } from '../src/admin/index.js';
import { CircuitBreaker, ResilienceService } from '../src/index.js';
import { ManualClock, MemoryStore } from '../src/testing/index.js';
import { type Administered, administered, key, KeyGuard } from './support/admin.js';
import { type Client, adminOf, read, takeStock } from './support/admin-stream.js';
import { type Platform, closeAll, everyPlatform } from './support/boot.js';
import { Route } from './support/fleet.js';
import { outcome, settle, until } from './support/wait.js';

afterEach(closeAll);
afterEach(() => jest.restoreAllMocks());

@Injectable()
class Catalogue {
  @CircuitBreaker({ name: 'search', scope: 'shared', consecutiveFailures: 2, openFor: '30s' })
  async search(fails = false): Promise<string> {
    if (fails) throw new ServiceUnavailableException();
    return 'found';
  }

  @CircuitBreaker({ name: 'reviews', scope: { quorum: 2 } })
  async reviews(): Promise<string> {
    return 'good';
  }
}

interface Instance extends Administered {
  readonly catalogue: Catalogue;
  readonly route: Route;
}

describe.each(everyPlatform)('the management API of a fleet on %s', (platform: Platform) => {
  /** Starts instances of these versions, a minute after each other, that share a store. */
  const start = async (versions: readonly (string | undefined)[]): Promise<Instance[]> => {
    const clock = new ManualClock();
    const memory = new MemoryStore({ clock });
    const instances: Instance[] = [];
    for (const [at, version] of versions.entries()) {
      const route = new Route(memory, clock);
      const fleet = { instanceId: `i${at + 1}`, ...(version !== undefined && { version }) };
      const app = await administered(platform)(
        { guards: [KeyGuard] },
        { providers: [Catalogue], resilience: { clock, store: route.store, fleet } },
      );
      instances.push({ ...app, clock, route, catalogue: app.app.get(Catalogue) });
      await clock.advance(60_000);
    }
    return instances;
  };

  const fleetOf = async ({ get, clock }: Instance): Promise<AdminFleet> => {
    await clock.advance(1_000); // the store is asked once a second at most
    const { status, body } = await get('/fleet', key);
    expect(status).toBe(200);
    return body.fleet;
  };

  /** A client of the stream, and the fleet in its snapshot. */
  const joined = async ({
    url,
  }: Instance): Promise<{ client: Client; fleet: AdminFleet | null }> => {
    const client = await read(url, undefined, key);
    const { data } = await client.message(({ event }) => event === 'snapshot');
    return { client, fleet: data.fleet };
  };

  const left = async ({ app }: Instance, client: Client): Promise<void> => {
    client.leave();
    await until(() => takeStock(app).clients.size === 0);
  };

  /** For the stream, which has no clock of its own. */
  const passHours = (): void => {
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 3_600_000);
  };

  it('shows the store, and the instances with their versions, the one that answers first', async () => {
    const [, second] = await start(['1.4.2', '1.5.0', '1.5.0']);
    const fleet = await fleetOf(second!);
    const now = second!.clock.wall();
    expect(fleet).toMatchObject({ kind: 'memory', moreInstances: 0, partial: false });
    expect(fleet.degradedSince).toBeUndefined();
    const { host } = fleet.instances[0]!;
    const well = { host, open: 0 };
    expect(fleet.instances).toEqual([
      { ...well, id: 'i2', self: true, version: '1.5.0', startedAt: now - 121_000 },
      { ...well, id: 'i1', self: false, version: '1.4.2', startedAt: expect.any(Number) },
      { ...well, id: 'i3', self: false, version: '1.5.0', startedAt: expect.any(Number) },
    ]);
    expect(Math.abs(fleet.instances[1]!.startedAt! - (now - 181_000))).toBeLessThan(2_000);
    expect(fleet.versions).toEqual([
      { version: '1.5.0', instances: 2 },
      { version: '1.4.2', instances: 1 },
    ]);
  });

  it('sums shared breakers, and names the instances on which a circuit is open', async () => {
    const [one, two] = await start(['1', '1']);
    await two!.catalogue.search();
    for (let call = 0; call < 2; call++) await outcome(one!.catalogue.search(true));
    await one!.clock.advance(1);
    await outcome(two!.catalogue.search());
    const [first] = (await fleetOf(one!)).breakers;
    expect(first).toMatchObject({ name: 'search', instances: 2, failures: 2, openOn: ['i1'] });
    await one!.clock.advance(20_000); // the other one's next heartbeat
    const { breakers, instances } = await fleetOf(one!);
    const [search, reviews] = breakers;
    expect(search).toMatchObject({ name: 'search', open: 2 });
    expect([...search!.openOn].sort()).toEqual(['i1', 'i2']);
    expect(reviews).toMatchObject({ name: 'reviews', open: 0, openOn: [] });
    expect(instances.map(({ open }) => open)).toEqual([1, 1]);
  });

  it('counts the open circuits of an instance that has reported only some of its breakers', async () => {
    const [one] = await start(['1']);
    const facts = { breakers: [['search', 'open', 1, 1, 0]], more: 30, open: 9 };
    await one!.route.store.heartbeat({ id: 'i2', facts }, 60_000);
    const { instances } = await fleetOf(one!);
    expect(instances.map(({ id, open }) => [id, open])).toEqual([
      ['i1', 0],
      ['i2', 9],
    ]);
  });

  it('says whose state a breaker has', async () => {
    const [one] = await start(['1']);
    const { body } = await one!.get('/breakers', key);
    const scopes = body.items.map(({ name, scope }: { name: string; scope: string }) => [
      name,
      scope,
    ]);
    expect(scopes).toEqual(
      expect.arrayContaining([
        ['search', 'shared'],
        ['reviews', 'quorum'],
        ['storage/svc', 'local'],
      ]),
    );
  });

  it('says since when the store has been away, and shows the last known state', async () => {
    const [one] = await start(['1', '2']);
    await fleetOf(one!);
    one!.route.trouble = 'down';
    await one!.clock.advance(30_000);
    const before = await fleetOf(one!);
    expect(before.instances.map(({ id }) => id)).toEqual(['i1', 'i2']);
    await one!.clock.advance(10_000);
    const after = await fleetOf(one!);
    expect(after.degradedSince).toBe(before.degradedSince);
    expect(one!.clock.wall() - after.degradedSince!).toBeGreaterThan(20_000);
    expect((await one!.get('', key)).body.troubles).toEqual([
      {
        part: 'store',
        name: 'memory',
        kind: 'store-degraded',
        severity: 'warning',
        since: after.degradedSince,
        why: 'it does not answer; shared breakers and limits act as local ones',
      },
    ]);
    one!.route.trouble = undefined;
    await one!.clock.advance(5_000);
    expect((await fleetOf(one!)).degradedSince).toBeUndefined();
    expect((await one!.get('', key)).body.troubles).toEqual([]);
  });

  it('does not wait long for a store that hangs', async () => {
    const [one] = await start(['1']);
    one!.route.trouble = 'frozen';
    const answer = one!.get('/fleet', key);
    await until(() => one!.route.calls.at(-1) === 'instances');
    await one!.clock.advance(250);
    expect((await answer).body.fleet.instances).toHaveLength(1);
  });

  it('sends the fleet in the stream when it is known, and when it changes', async () => {
    const [one] = await start(['1', '2']);
    const client = await read(one!.url, undefined, key);
    const fleets = (): AdminFleet[] =>
      client.messages.flatMap(({ data: { fleet } }) => fleet ?? []) as AdminFleet[];
    await until(() => fleets().length === 1, 4_000);
    expect(fleets()[0]!.instances).toHaveLength(2);
    one!.route.trouble = 'down';
    await one!.clock.advance(40_000);
    await until(() => fleets().length === 2, 4_000);
    expect(fleets()[1]!.degradedSince).toEqual(expect.any(Number));
    const another = await read(one!.url, undefined, key);
    const { data } = await another.message(({ event }) => event === 'snapshot');
    expect(data.fleet).toEqual(fleets()[1]);
    client.leave();
    another.leave();
  });

  it('sends the current fleet to the first client, even after hours without any', async () => {
    const [one] = await start(['1']);
    const first = await joined(one!);
    expect(first.fleet!.instances).toHaveLength(1);
    await left(one!, first.client);
    await one!.route.store.heartbeat({ id: 'i2' }, 60_000);
    await one!.clock.advance(1_000);
    passHours();
    const second = await joined(one!);
    expect(second.fleet!.instances).toHaveLength(2);
    second.client.leave();
  });

  it('does not show the fleet of hours ago when the store does not answer', async () => {
    const [one] = await start(['1']);
    const first = await joined(one!);
    await left(one!, first.client);
    await one!.clock.advance(1_000);
    passHours();
    one!.route.trouble = 'frozen';
    const second = await joined(one!);
    expect(second.fleet).toBeNull();
    second.client.leave();
  });

  it('tells the first client of a store that has not answered yet', async () => {
    const [one] = await start(['1']);
    await one!.clock.advance(1_000);
    one!.route.trouble = 'frozen';
    const { client, fleet: before } = await joined(one!);
    expect(before).toBeNull();
    await one!.clock.advance(250);
    const delta = await client.message(({ data: { fleet } }) => fleet?.kind === 'memory');
    expect(delta.event).toBe('delta');
    client.leave();
  });

  it('shows the changes of options for all, and whether they are in force here', async () => {
    const [one, two] = await start(['1', '1']);
    const service = one!.app.get(ResilienceService);
    const until = new Date(one!.clock.wall() + 1_800_000);
    const note = { by: 'anna', reason: 'the disk is slow', scope: 'shared', until } as const;
    service.configure('search', { circuitBreaker: { openFor: '5s' } }, note);
    service.configure('reviews', { circuitBreaker: { openFor: '9s' } }, { scope: 'shared' });
    const patch = { circuitBreaker: { openFor: '5s' } };
    const { by, reason } = note;
    const [first, second] = (await fleetOf(two!)).changes;
    expect(first).toEqual({
      id: expect.any(String),
      ...{ target: 'search', patch, by, reason, until: until.getTime() },
      ...{ inForce: true, pending: false },
    });
    expect(second).toEqual({
      id: expect.any(String),
      ...{ target: 'reviews', patch: { circuitBreaker: { openFor: '9s' } } },
      ...{ inForce: true, pending: false },
    });
    service.configure('search', null, { scope: 'shared' });
    const { changes } = await fleetOf(two!);
    expect(changes.map(({ target }) => target)).toEqual(['reviews']);
  });

  it('says that the other instances have not received a change', async () => {
    const [one] = await start(['1']);
    one!.route.trouble = 'down';
    await one!.clock.advance(30_000);
    const service = one!.app.get(ResilienceService);
    service.configure('search', { circuitBreaker: { openFor: '5s' } }, { scope: 'shared' });
    const { changes } = await fleetOf(one!);
    expect(changes).toMatchObject([{ target: 'search', inForce: true, pending: true }]);
  });

  it('cuts long changes of other instances, and shows no secrets', async () => {
    const [one] = await start(['1']);
    const long = 'x'.repeat(2_000);
    const patch = { circuitBreaker: { apiKey: 'classified', openFor: long }, unknown: { a: 1 } };
    const change = { id: long, target: long, patch, by: long, reason: long };
    const text = JSON.stringify({ life: 'a', version: 1, changes: [change] });
    await one!.route.store.changeSettings(0, text);
    await one!.clock.advance(30_000);
    const { changes } = await fleetOf(one!);
    const cut = `${'x'.repeat(199)}…`;
    expect(changes).toEqual([
      {
        ...{ id: cut, target: cut, by: cut, reason: cut },
        patch: { circuitBreaker: { apiKey: '[secret]', openFor: `${'x'.repeat(499)}…` } },
        ...{ inForce: false, pending: false },
      },
    ]);
  });

  it('sends a change of options in the stream at once', async () => {
    const [one] = await start(['1']);
    const { client } = await joined(one!);
    const service = one!.app.get(ResilienceService);
    service.configure('search', { circuitBreaker: { openFor: '5s' } }, { scope: 'shared' });
    const { data } = await client.message(({ data: { fleet } }) => fleet?.changes.length === 1);
    expect(data.fleet.changes[0].target).toBe('search');
    client.leave();
  });

  it('holds a shared circuit open in all instances', async () => {
    const [one, two] = await start(['1', '1']);
    const why = { by: 'anna', reason: 'migration' };
    expect((await one!.post('/breakers/search/force-open', why, key)).status).toBe(200);
    await two!.clock.advance(1);
    const { body } = await two!.get('/breakers/search', key);
    expect(body.breaker.override).toEqual({ kind: 'forced-open', ...why });
  });

  it('shows a hundred of very many instances, whatever they report', async () => {
    const [one] = await start(['1']);
    const long = 'x'.repeat(5_000);
    for (let at = 0; at < 150; at++) {
      const facts = {
        breakers: Array.from({ length: 3 }, (_, n) => [`b${at}-${n}${long}`, 'open', 1, 1, 0]),
      };
      await one!.route.store.heartbeat(
        { id: `${at}-${long}`, version: `${at}-${long}`, host: long, facts },
        60_000,
      );
    }
    const fleet = await fleetOf(one!);
    expect(fleet.instances).toHaveLength(100);
    expect(fleet.instances[0]!.self).toBe(true);
    expect(fleet).toMatchObject({ moreInstances: 51, partial: true });
    expect(fleet.breakers).toHaveLength(100);
    expect(fleet.versions).toHaveLength(100);
    expect(JSON.stringify(fleet).length).toBeLessThan(200_000);
  });

  it('does not exist without a store', async () => {
    const app = await administered(platform)();
    const { status, body } = await app.get('/fleet');
    expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
    const client = await read(app.url);
    const { data } = await client.message(({ event }) => event === 'snapshot');
    expect('fleet' in data).toBe(false);
    client.leave();
  });

  it('releases the store when the application closes', async () => {
    const [one] = await start(['1']);
    const client = await read(one!.url, undefined, key);
    await client.message(({ data: { fleet } }) => fleet !== undefined);
    await one!.app.close();
    const { length } = one!.route.calls;
    adminOf(one!.app).stream.close();
    await settle();
    await one!.clock.advance(60_000);
    expect(one!.route.calls).toHaveLength(length);
  });
});
