import type { ResilienceStore } from '../../src/fleet/store.js';
import { CheckedStore } from '../../src/fleet/checked-store.js';
import { redisStore } from 'nest-resilience/redis';
import { describeWithRedis } from '../support/redis.js';
import { RedisServer } from '../support/redis-servers.js';

const TRIP = {
  type: 'trip',
  epoch: 0,
  incarnation: '',
  instanceId: 'a',
  openMs: [7_200_000],
} as const;

const KEY = 'resilience:{bad}:circuit';

describeWithRedis('a Redis in which somebody else has written', () => {
  let server: RedisServer;
  let store: ResilienceStore;
  const complaints: string[] = [];

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  beforeEach(async () => {
    complaints.length = 0;
    await server.tell(['flushall']);
    const inRedis = redisStore({ url: server.url });
    store = new CheckedStore(inRedis, (message) => complaints.push(message));
    for (const name of ['good', 'bad']) await store.circuit(name, TRIP);
  });

  afterEach(() => store.close());
  afterAll(() => server.end());

  async function states(): Promise<(string | undefined)[]> {
    return (await store.circuits(['bad', 'good'])).map((view) => view?.state);
  }

  it.each<[string, string[][]]>([
    [
      'a key of another type',
      [
        ['del', KEY],
        ['set', KEY, 'x'],
      ],
    ],
    [
      'a hash of other fields',
      [
        ['del', KEY],
        ['hset', KEY, 'x', 'y'],
      ],
    ],
    ['a state of another version', [['hset', KEY, 'state', 'ajar']]],
    ['a missing field', [['hdel', KEY, 'openUntil']]],
    ['letters instead of a number', [['hset', KEY, 'epoch', 'many']]],
    ['an endless number', [['hset', KEY, 'openings', 'inf']]],
    ['a negative number', [['hset', KEY, 'successes', '-1']]],
    ['half a number', [['hset', KEY, 'epoch', '1.5']]],
    ['a number that is not one', [['hset', KEY, 'epoch', 'nan']]],
    ['an epoch that cannot grow', [['hset', KEY, 'epoch', '9007199254740991']]],
    ['no incarnation', [['hset', KEY, 'incarnation', '']]],
  ])(
    'counts a circuit as unknown for %s, reads the others, and begins it anew',
    async (_, commands) => {
      await server.tell(...commands);
      for (let round = 0; round < 2; round++) expect(await states()).toEqual([undefined, 'open']);
      expect(complaints).toEqual(["circuit 'bad' cannot be read; it counts as unknown"]);
      const { granted, view } = await store.circuit('bad', TRIP);
      expect([granted, view.state, view.epoch]).toEqual([true, 'open', 1]);
      expect(await states()).toEqual(['open', 'open']);
    },
  );

  it.each(['{"state":', '7', 'null', '{"state":"ajar"}', '{"state":"disabled","by":7}'])(
    'leaves out an override that cannot be read: %s',
    async (override) => {
      await server.tell(['hset', KEY, 'override', override]);
      expect(await states()).toEqual(['open', 'open']);
      const { view } = await store.circuit('bad', { type: 'reset' });
      expect([view.state, view.override]).toEqual(['closed', undefined]);
      const { view: disabled } = await store.circuit('bad', {
        type: 'override',
        override: { state: 'disabled' },
      });
      expect(disabled.override).toEqual({ state: 'disabled' });
    },
  );

  it.each<[string, string[][]]>([
    ['limit', [['rpush', 'resilience:{bad}:limit', 'x']]],
    ['limit', [['set', 'resilience:{bad}:limit', 'x']]],
    ['limit', [['set', 'resilience:{bad}:limit', '1 x 1/1/1']]],
    ['limit', [['set', 'resilience:{bad}:limit', '1 1 5x/10/3']]],
    ['limit', [['set', 'resilience:{bad}:limit', '1e999 1 10/3600000/10']]],
    ['limit', [['set', 'resilience:{bad}:limit', '5 1 0/0/0']]],
    ['places', [['set', 'resilience:{bad}:places', 'x']]],
    ['heartbeat', [['set', 'resilience:{fleet}:alive', 'x']]],
    ['heartbeat', [['zadd', 'resilience:{fleet}:alive', 'inf', 'x']]],
    ['heartbeat', [['set', 'resilience:{fleet}:instances', 'x']]],
  ])('begins anew for %s, whatever is under the key: %j', async (kind, commands) => {
    await server.tell(...commands);
    const limit = { limit: 10, perMs: 3_600_000, burst: 10, cost: 1, maxWaitMs: 0 };
    const place = {
      type: 'acquire',
      token: '1',
      instanceId: 'a',
      limit: 1,
      leaseMs: 60_000,
    } as const;
    if (kind === 'limit') expect((await store.limit('bad', limit)).remaining).toBe(9);
    if (kind === 'limit') expect((await store.limit('bad', limit)).remaining).toBe(8);
    if (kind === 'places') expect((await store.places('bad', place)).granted).toBe(true);
    if (kind === 'heartbeat') expect(await store.heartbeat({ id: 'a' }, 60_000)).toBe(1);
  });

  it.each([
    [['set', 'resilience:{fleet}:settings', 'x']],
    [['hset', 'resilience:{fleet}:settings', 'revision', 'x', 'settings', '{}', 'at', '1']],
    [['hset', 'resilience:{fleet}:settings', 'revision', 'nan', 'settings', '{}', 'at', '1']],
    [['hset', 'resilience:{fleet}:settings', 'revision', '1', 'settings', '{}', 'at', 'x']],
  ])(
    'knows no changes of options where they cannot be read, and begins them anew: %j',
    async (command) => {
      await server.tell(command);
      expect(await store.settings()).toBeUndefined();
      const changed = await store.changeSettings(0, '{"a":1}');
      expect(changed).toMatchObject({ changed: true, revision: 1, settings: '{"a":1}' });
      expect(await store.settings()).toMatchObject({ revision: 1, settings: '{"a":1}' });
    },
  );

  it('makes steps although leases and votes are of another type', async () => {
    await server.tell(
      ['set', 'resilience:{bad}:leases', 'x'],
      ['set', 'resilience:{bad}:votes', 'x'],
    );
    await server.tell(['hset', KEY, 'openUntil', '1']);
    const { granted } = await store.circuit('bad', {
      type: 'acquire',
      token: '1',
      probes: 1,
      successes: 1,
      leaseMs: 60_000,
    });
    expect(granted).toBe(true);
    const { view } = await store.circuit('bad', { type: 'reset' });
    await server.tell(['set', 'resilience:{bad}:votes', 'x']);
    const { epoch, incarnation } = view;
    const quorum = { minVotes: 1, share: 0, voteMs: 60_000 };
    const trip = await store.circuit('bad', { ...TRIP, epoch, incarnation, quorum });
    expect(trip.granted).toBe(true);
  });
});
