import { Redis } from 'ioredis';
import type { ResilienceStore, StoreMessage } from '../../src/fleet/store.js';
import { type RedisClient, redisStore } from 'nest-resilience/redis';
import { storeContract } from 'nest-resilience/testing';
import { until } from '../../sample/launcher/src/net.js';
import { describeWithRedis } from '../support/redis.js';
import { SINGLE, documentedUser, type TestClient } from '../support/redis-clients.js';
import { RedisServer } from '../support/redis-servers.js';

const LIMIT = { limit: 10, perMs: 3_600_000, burst: 10, cost: 1, maxWaitMs: 0 };
const TRIP = {
  type: 'trip',
  epoch: 0,
  incarnation: '',
  instanceId: 'a',
  openMs: [7_200_000],
} as const;
const PLACE = { type: 'acquire', token: '1', instanceId: 'a', limit: 1, leaseMs: 60_000 } as const;

/** How each kind of step ends: `made`, or the first word of its error. */
async function eachKind(store: ResilienceStore): Promise<Record<string, string>> {
  const ends: Record<string, string> = {};
  const steps = {
    circuit: store.circuit('name', TRIP),
    circuits: store.circuits(['name']),
    limit: store.limit('name', LIMIT),
    places: store.places('name', PLACE),
    heartbeat: store.heartbeat({ id: 'a' }, 60_000),
    instances: store.instances(),
    settings: store.settings(),
    changeSettings: store.changeSettings(0, '{}'),
  };
  for (const [name, step] of Object.entries(steps)) {
    ends[name] = await step.then(
      () => 'made',
      (error: Error) => error.message.split(' ')[0]!,
    );
  }
  return ends;
}

async function elapsed(work: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work;
  return performance.now() - start;
}

describeWithRedis('a store in a Redis in trouble', () => {
  let server: RedisServer;
  const stores: ResilienceStore[] = [];
  const clients: TestClient[] = [];

  async function byClient(name: string): Promise<{ client: RedisClient; store: ResilienceStore }> {
    const made = await SINGLE[name]!(server.port);
    clients.push(made);
    return { client: made.client, store: keep(redisStore({ client: made.client })) };
  }

  function keep(store: ResilienceStore): ResilienceStore {
    stores.push(store);
    return store;
  }

  beforeEach(async () => {
    server = await RedisServer.start();
    await server.tell(['acl', 'setuser', ...documentedUser()]);
  });

  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    for (const client of clients.splice(0)) client.end();
    await server.end();
  });

  const names = [...Object.keys(SINGLE), 'its own'];

  describe.each(names)('by a client of %s', (name) => {
    async function connected(): Promise<ResilienceStore> {
      if (name !== 'its own') return (await byClient(name)).store;
      return keep(redisStore({ url: server.url }));
    }

    it('rejects what would change a replica, and reads it', async () => {
      const store = await connected();
      await store.circuit('name', TRIP);
      await server.tell(['replicaof', '127.0.0.1', '1']);
      const ends = await eachKind(store);
      const { circuits, settings, instances, ...writes } = ends;
      expect([circuits, settings, instances]).toEqual(['made', 'made', 'made']);
      // The circuit is open already: nothing is to be changed.
      for (const [kind, end] of Object.entries(writes)) {
        expect([kind, end]).toEqual([kind, 'READONLY']);
      }
    });

    it('makes a step or rejects it when the memory is full, and gives back what is held', async () => {
      const store = await connected();
      await store.places('name', PLACE);
      await server.tell(['config', 'set', 'maxmemory', '1']);
      const ends = await eachKind(store);
      expect(ends).toMatchObject({ circuits: 'made', settings: 'made', heartbeat: 'OOM' });
      for (const end of Object.values(ends)) expect(end).toMatch(/^(made|OOM)$/);
      const [view] = await store.circuits(['name']);
      expect(view?.state).toBe(ends.circuit === 'made' ? 'open' : undefined);
      const released = await store.places('name', { type: 'release', token: '1' });
      expect(released).toEqual({ granted: true, inUse: 0 });
    });

    it('receives messages again after a restart, and reports that it was away', async () => {
      const store = await connected();
      const heard: StoreMessage[] = [];
      await store.subscribe((message) => void heard.push(message));
      await store.circuit('name', TRIP);
      await server.kill();
      await server.restart();
      await server.tell(['acl', 'setuser', ...documentedUser()]);
      await until('the store answers again', () =>
        store.settings().then(
          () => true,
          () => false,
        ),
      );
      await until('it says so', () => heard.some(({ type }) => type === 'reconnected'));
      expect(await store.circuits(['name'])).toEqual([undefined]);
      heard.length = 0;
      await store.circuit('name', TRIP);
      await until('a change is told', () => heard.some(({ type }) => type === 'circuit'));
    });

    it('rejects a subscription that the server refuses, and listens when it is asked again', async () => {
      for (const user of ['resilience', 'default']) {
        await server.tell(['acl', 'setuser', user, '-subscribe']);
      }
      const store = await connected();
      const heard: StoreMessage[] = [];
      const subscribe = (): Promise<unknown> => store.subscribe((message) => heard.push(message));
      await expect(subscribe()).rejects.toThrow('NOPERM');
      await expect(subscribe()).rejects.toThrow('NOPERM');
      await store.circuit('name', TRIP);
      for (const user of ['resilience', 'default']) {
        await server.tell(['acl', 'setuser', user, '+subscribe']);
      }
      await subscribe();
      await store.circuit('other', TRIP);
      await until('a change is told', () => heard.some(({ type }) => type === 'circuit'));
    });

    it('ends within a second when the server is frozen', async () => {
      const store = await connected();
      await store.subscribe(() => {});
      await store.settings();
      server.freeze();
      const step = store.circuit('name', TRIP).then(
        () => {},
        () => {},
      );
      const leaving = store.subscribe(() => {}).then((leave) => leave());
      expect(await elapsed(store.close())).toBeLessThan(1_000);
      await expect(store.settings()).rejects.toThrow('the Redis store has been closed');
      server.thaw();
      await Promise.all([step, leaving]);
    });

    it('ends within a second when the server is dead', async () => {
      const store = await connected();
      await store.subscribe(() => {});
      await server.kill();
      expect(await elapsed(store.close())).toBeLessThan(1_000);
    });
  });

  describe('by a client of its own', () => {
    it('rejects steps at once while there is no server, and listens when there is one', async () => {
      await server.kill();
      const store = keep(redisStore({ url: server.url }));
      const heard: StoreMessage[] = [];
      expect(await elapsed(store.subscribe((message) => void heard.push(message)))).toBeLessThan(
        1_500,
      );
      for (let i = 0; i < 3; i++) {
        const step = store.settings().catch((error: Error) => error);
        expect(await elapsed(step)).toBeLessThan(500);
        expect(await step).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
      }
      await server.restart();
      await until('it listens', () => heard.some(({ type }) => type === 'reconnected'));
      await until('it answers', () =>
        store.circuit('name', TRIP).then(
          () => true,
          () => false,
        ),
      );
      await until('a change is told', () => heard.some(({ type }) => type === 'circuit'));
    });
  });

  it.each(Object.keys(SINGLE))('does not close a given client of %s', async (name) => {
    const { client, store } = await byClient(name);
    await store.subscribe(() => {});
    await store.close();
    const other = keep(redisStore({ client }));
    expect(await other.settings()).toBeUndefined();
    const list = await server.tell<string>(['client', 'list']);
    expect(list.match(/cmd=(s|un)subscribe/g)).toBeNull();
  });

  it('keeps each key longer than its deadlines, and not forever', async () => {
    const { store } = await byClient('ioredis');
    await eachKind(store);
    await store.circuit('forced', { type: 'override', override: { state: 'forced-open' } });
    const override = { state: 'forced-open', remainingMs: 86_400_000 } as const;
    await store.circuit('for a day', { type: 'override', override });
    const quorum = { minVotes: 3, share: 0, voteMs: 60_000 };
    await store.circuit('votes', { ...TRIP, quorum });
    const times: Record<string, number> = {};
    for (const key of await server.tell<string[]>(['keys', '*'])) {
      const ms = await server.tell<number>(['pttl', key]);
      times[key] = ms < 0 ? ms : Math.round(ms / 60_000);
    }
    expect(times).toEqual({
      'resilience:{name}:circuit': 180,
      'resilience:{forced}:circuit': -1, // no end
      'resilience:{for%20a%20day}:circuit': 1_500,
      'resilience:{votes}:circuit': 61,
      'resilience:{votes}:votes': 61,
      'resilience:{name}:limit': 6,
      'resilience:{name}:places': 2,
      'resilience:{fleet}:alive': 2,
      'resilience:{fleet}:instances': 2,
      'resilience:{fleet}:settings': -1,
    });
    await store.circuit('forced', { type: 'override', override: undefined });
    expect(await server.tell(['pttl', 'resilience:{forced}:circuit'])).toBeGreaterThan(0);
  });

  describe('that forgets its scripts before each step keeps the contract', () => {
    const cases = storeContract({
      async connect(space) {
        const client = new Redis(server.port, '127.0.0.1');
        clients.push({ client, end: () => client.disconnect() });
        const call = async (...command: [string, ...string[]]): Promise<unknown> => {
          await client.call('script', 'flush');
          return client.call(...command);
        };
        const duplicate = client.duplicate.bind(client);
        const forgetful = { call, duplicate, sendCommand: call, subscribe: call };
        return redisStore({ client: forgetful, prefix: space });
      },
    });
    const some = cases.filter(({ title }) =>
      /at a time|consumed|prolonged|votes|replaced/.test(title),
    );
    test.each(some)('$title', ({ run }) => run());
  });
});
