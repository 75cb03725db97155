import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import type {
  CircuitStep,
  LimitRequest,
  PlacesStep,
  ResilienceStore,
} from '../../src/fleet/store.js';
import { redisStore } from 'nest-resilience/redis';
import { ManualClock, MemoryStore } from 'nest-resilience/testing';
import { HOST } from '../../sample/launcher/src/net.js';
import { describeWithRedis } from '../support/redis.js';
import { RedisServer } from '../support/redis-servers.js';

/** The store whose scripts take the time from a clock, and whose keys do not end meanwhile. */
function inVirtualTime(redis: Redis, prefix: string, clock: { now(): number }): ResilienceStore {
  const call = async (name: string, text: string, ...rest: string[]): Promise<unknown> => {
    if (name === 'EVALSHA') throw new Error('NOSCRIPT');
    const ms = clock.now() + 1_700_000_000_000;
    const time = `{'${Math.floor(ms / 1_000)}', '${(ms % 1_000) * 1_000}'}`;
    const script = text
      .replace("redis.call('TIME')", time)
      .replaceAll("'PX', int(", "'PX', (function(ms) return int(ms + 600000) end)(");
    return redis.call(name, script, ...rest);
  };
  const client = { call, sendCommand: call, duplicate: call, subscribe: call };
  return redisStore({ client, prefix });
}

type Known = { epoch: number; incarnation: string };

type Action =
  | { type: 'wait'; ms: number }
  | { type: 'circuit'; of: string; step: CircuitStep; stale: boolean }
  | { type: 'limit'; request: LimitRequest }
  | { type: 'places'; step: PlacesStep }
  | { type: 'heartbeat'; id: string; ttlMs: number };

const token = fc.constantFrom('1', '2', '3', '4');
const ms = fc.constantFrom(0, 0.25, 999.5, 1_000, 2_500, 20_000);
const openMs = fc.array(ms, { minLength: 1, maxLength: 3 });
const few = fc.integer({ min: 1, max: 3 });
const quorum = fc.record({ minVotes: few, share: fc.constantFrom(0, 0.1, 0.5, 1), voteMs: ms });
const state = fc.constantFrom('forced-open', 'disabled' as const);

const step: fc.Arbitrary<CircuitStep> = fc.oneof(
  fc.record(
    {
      type: fc.constant('trip'),
      epoch: fc.constant(0),
      incarnation: fc.constant(''),
      instanceId: token,
      openMs,
      quorum,
    },
    { requiredKeys: ['type', 'epoch', 'incarnation', 'instanceId', 'openMs'] },
  ),
  fc.record({ type: fc.constant('acquire'), token, probes: few, successes: few, leaseMs: ms }),
  fc.record({ type: fc.constant('acquire'), token, probes: few, successes: few, leaseMs: ms }),
  fc.record({
    type: fc.constant('settle'),
    token,
    outcome: fc.constantFrom('success', 'failure', 'void'),
    successes: few,
    failures: fc.integer({ min: 0, max: 2 }),
    openMs,
  }),
  fc.record({
    type: fc.constant('override'),
    override: fc.option(
      fc.record({ state, by: fc.constant('Ada'), remainingMs: ms }, { requiredKeys: ['state'] }),
      { nil: undefined },
    ),
  }),
  fc.record({ type: fc.constant('reset') }),
);

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ type: fc.constant('wait'), ms: fc.constantFrom(1, 250, 1_000, 5_000) }),
  fc.record({
    type: fc.constant('circuit'),
    of: fc.constantFrom('a', 'b'),
    step,
    stale: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('circuit'),
    of: fc.constant('a'),
    step,
    stale: fc.constant(false),
  }),
  fc.record({
    type: fc.constant('limit'),
    request: fc.record({
      limit: fc.constantFrom(3, 3, 3, 7),
      perMs: fc.constantFrom(10_000, 10_000, 333.3),
      burst: fc.constantFrom(5, 5, 2),
      cost: fc.constantFrom(0, 1, 1, 2, 6),
      maxWaitMs: fc.constantFrom(0, 0, 4_000, Infinity),
    }),
  }),
  fc.record({
    type: fc.constant('places'),
    step: fc.oneof(
      fc.record({
        type: fc.constant('acquire'),
        token,
        instanceId: token,
        limit: few,
        leaseMs: ms,
      }),
      fc.record({ type: fc.constant('renew'), tokens: fc.array(token), leaseMs: ms }),
      fc.record({ type: fc.constant('release'), token }),
    ),
  }),
  fc.record({ type: fc.constant('heartbeat'), id: token, ttlMs: ms }),
);

/** One of the two stores, with the state of its instances. */
class Player {
  private readonly known = new Map<string, Known>();
  private readonly incarnations: string[] = [''];

  constructor(private readonly store: ResilienceStore) {}

  async play(action: Action): Promise<unknown> {
    const { store } = this;
    switch (action.type) {
      case 'wait':
        return undefined;
      case 'limit':
        return store.limit('limit', action.request);
      case 'places':
        return store.places('places', action.step);
      case 'heartbeat': {
        const living = await store.heartbeat({ id: action.id }, action.ttlMs);
        const ids = (await store.instances()).map(({ id }) => id);
        return { living, ids: ids.sort() };
      }
      case 'circuit': {
        const { of: name } = action;
        const known = this.known.get(name) ?? { epoch: 0, incarnation: '' };
        const epoch = known.epoch - (action.stale ? 1 : 0);
        const made =
          action.step.type === 'trip' ? { ...action.step, ...known, epoch } : action.step;
        const reply = await store.circuit(name, made);
        const [view] = await store.circuits([name]);
        this.known.set(name, reply.view);
        const { incarnation } = reply.view;
        if (!this.incarnations.includes(incarnation)) this.incarnations.push(incarnation);
        const number = this.incarnations.indexOf(incarnation);
        const shown = { ...reply, view: { ...reply.view, incarnation: number } };
        return { shown, view: view && { ...view, incarnation: number } };
      }
    }
  }
}

describeWithRedis('a store in Redis', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.port, HOST);
  });

  afterAll(async () => {
    redis.disconnect();
    await server.end();
  });

  it('answers any steps at any times as a store in memory does', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 40 }), async (actions) => {
        const clock = new ManualClock();
        const memory = new Player(new MemoryStore({ clock }));
        const real = new Player(inVirtualTime(redis, `run-${run++}:`, clock));
        for (const action of actions) {
          if (action.type === 'wait') await clock.advance(action.ms);
          else expect(await real.play(action)).toEqual(await memory.play(action));
        }
      }),
      { numRuns: 150 },
    );
  }, 30_000);

  it('admits calls again after its clock has gone back, or its rate has changed', async () => {
    let now = 10_000_000;
    const store = inVirtualTime(redis, 'back:', { now: () => now });
    const request = { limit: 1, perMs: 1_000, burst: 2, cost: 2, maxWaitMs: 0 };
    expect((await store.limit('name', request)).allowed).toBe(true);
    now -= 5_000_000;
    const refused = await store.limit('name', request);
    expect(refused).toMatchObject({ allowed: false, retryAfterMs: 2_000 });
    now += 2_000;
    expect((await store.limit('name', request)).allowed).toBe(true);
  });
});
