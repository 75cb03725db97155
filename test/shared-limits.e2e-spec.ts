import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  BulkheadRegistry,
  Fallback,
  RateLimit,
  RateLimitRegistry,
  type ResilienceModuleOptions,
  Timeout,
  fallbackValue,
} from '../src/index.js';
import { ManualClock, MemoryStore } from '../src/testing/index.js';
import { type Booted, boot, closeAll, of } from './support/boot.js';
import { problemsOf, wrong } from './support/commands.js';
import { Route, type Trouble } from './support/fleet.js';
import { deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

@Injectable()
class Client {
  gate = deferred();
  ran = 0;

  @RateLimit({ name: 'api', limit: 6, per: '6s', burst: 6, scope: 'shared' })
  async limited(): Promise<number> {
    return (this.ran += 1);
  }

  @RateLimit({ name: 'api', maxWait: '1s', cost: 2 })
  async patient(): Promise<number> {
    return (this.ran += 1);
  }

  @RateLimit({ name: 'tenants', limit: 1, per: '1s', scope: 'shared', key: (id: string) => id })
  async tenant(id: string): Promise<string> {
    return id;
  }

  @Bulkhead({ name: 'db', maxConcurrent: 2, maxQueue: 1, scope: 'shared' })
  async held(): Promise<number> {
    await this.gate.promise;
    return (this.ran += 1);
  }

  @Fallback(fallbackValue('late'))
  @Timeout('5s')
  @Bulkhead({ name: 'hangs', maxConcurrent: 1, scope: 'shared', reentrant: true })
  async outer(): Promise<string> {
    return this.inner();
  }

  @Bulkhead({ name: 'hangs' })
  async inner(): Promise<string> {
    return 'inside';
  }
}

interface Instance extends Booted {
  readonly client: Client;
  readonly route: Route;
}

class World {
  readonly clock = new ManualClock();
  readonly memory = new MemoryStore({ clock: this.clock });

  async start(count: number, resilience: ResilienceModuleOptions = {}): Promise<Instance[]> {
    const instances: Instance[] = [];
    for (let n = 0; n < count; n++) {
      const route = new Route(this.memory, this.clock);
      const booted = await boot({
        providers: [Client],
        resilience: { clock: this.clock, store: route.store, ...resilience },
      });
      instances.push({ ...booted, client: booted.app.get(Client), route });
    }
    // All know each other.
    await this.clock.advance(20_000);
    for (const { route } of instances) route.calls.length = 0;
    return instances;
  }
}

const codes = (calls: readonly Promise<unknown>[]): Promise<unknown[]> =>
  Promise.all(calls.map(async (call) => codeOf(await outcome(call))));

const codeOf = ({ value, error }: { value?: unknown; error?: unknown }): unknown =>
  error === undefined ? value : ((error as { code?: string }).code ?? error);

describe('a limit that a fleet shares', () => {
  it('allows so many calls over all instances', async () => {
    const instances = await new World().start(3);
    const calls = [0, 1, 2, 0, 1, 2, 0].map((n) => instances[n]!.client.limited());
    expect(await codes(calls)).toEqual([1, 1, 1, 2, 2, 2, 'RATE_LIMITED']);
    expect(of('rejected', instances[0]!.events)).toMatchObject([
      { name: 'api', policy: 'rateLimit', retryAfterMs: 1_000 },
    ]);
  });

  it('lets calls wait, in every instance in their order', async () => {
    const world = new World();
    const [one, two] = await world.start(2);
    for (let call = 0; call < 5; call++) await one!.client.limited();
    const waits = two!.client.patient();
    await settle();
    expect(await codes([one!.client.patient()])).toEqual(['RATE_LIMITED']);
    await world.clock.advance(1_000);
    expect(await waits).toBe(1);
    expect(of('throttled', two!.events)).toEqual([
      { type: 'throttled', name: 'api', waitedMs: 1_000 },
    ]);
  });

  it('exists once per key', async () => {
    const [one, two] = await new World().start(2);
    expect(
      await codes([one!.client.tenant('a'), two!.client.tenant('b'), two!.client.tenant('a')]),
    ).toEqual(['a', 'b', 'RATE_LIMITED']);
    const refused = await outcome(two!.client.tenant('a'));
    expect(refused.error).toMatchObject({ policyName: 'tenants[a]' });
    expect(two!.route.calls).toEqual(['limit', 'limit']); // the third one is known to be refused
  });

  it.each<[string, Trouble]>([
    ['is down', 'down'],
    ['is frozen', 'frozen'],
    ['throws', 'throwing'],
    ['answers nonsense', 'answering nonsense'],
    ['is slow', { slowMs: 500 }],
  ])('goes on with a share per instance while the store %s', async (_, trouble) => {
    const world = new World();
    const instances = await world.start(3);
    for (const { route } of instances) route.trouble = trouble;
    const calls = instances.flatMap(({ client }) => [1, 2, 3].map(() => client.limited()));
    await world.clock.advance(60); // no longer than the time budget
    let answers: unknown[] | undefined;
    void codes(calls).then((all) => (answers = all));
    await settle();
    expect(answers).toEqual([1, 2, 3].flatMap(() => [1, 2, 'RATE_LIMITED']));
    // Calls at the same time have failed once.
    expect(of('store-degraded', instances[0]!.events)).toEqual([]);
    void outcome(instances[0]!.client.limited());
    await world.clock.advance(60);
    expect(of('store-degraded', instances[0]!.events)).toHaveLength(1);
    for (const { route } of instances) route.trouble = undefined;
    await world.clock.advance(1_100); // much less than until the next poll
    expect(of('store-recovered', instances[0]!.events)).toHaveLength(1);
    await world.clock.advance(10_000);
    for (const { route } of instances) route.calls.length = 0;
    await instances[0]!.client.limited();
    expect(instances[0]!.route.calls).toContain('limit');
  });

  it('does not flap while the store accepts heartbeats but is too slow for calls', async () => {
    const world = new World();
    const [one] = await world.start(1);
    one!.route.trouble = { slowMs: 100 };
    for (let tenth = 0; tenth < 1_200; tenth++) {
      void outcome(one!.client.tenant(`${tenth}`));
      await world.clock.advance(100);
    }
    // In two minutes: after 0.25, 0.5, 1, 2, 4 and 8 s, and then every 15.
    const degraded = of('store-degraded', one!.events).length;
    expect(degraded).toBeGreaterThan(6);
    expect(degraded).toBeLessThan(16);
  });

  it('warns once per name when instances ask with different rates for more than a minute', async () => {
    const world = new World();
    const warnings: string[] = [];
    const logger = { warn: (line: string) => void warnings.push(line), log() {}, error() {} };
    const instances = [...(await world.start(1)), ...(await world.start(1, { logger }))];
    instances[0]!.app.get(RateLimitRegistry).reconfigure('tenants', { burst: 3 });
    for (let second = 0; second < 90; second++) {
      for (const { client } of instances) {
        for (const key of ['a', 'b']) void outcome(client.tenant(key));
      }
      await world.clock.advance(900);
    }
    expect(warnings.filter((line) => line.includes('rate limit'))).toEqual([
      'rate limit "tenants": other instances use another limit, period or burst; each instance applies its own, so more calls may be allowed than any of them allows',
    ]);
  });

  it('shows its numbers in the registry, and can be changed', async () => {
    const [one] = await new World().start(1);
    await one!.client.limited();
    const registry = one!.app.get(RateLimitRegistry);
    expect(registry.get('api')).toMatchObject({ limit: 6, remaining: 5, waiting: 0 });
    registry.reconfigure('api', { limit: 60, burst: 2 });
    await one!.client.limited();
    expect(registry.get('api')).toMatchObject({ limit: 60, burst: 2, remaining: 0 });
    expect(() => registry.reconfigure('api', wrong({ scope: 'local' }))).toThrow(/scope/);
  });
});

describe('a bulkhead that a fleet shares', () => {
  it('has so many places over all instances, and gives free ones to waiting calls', async () => {
    const world = new World();
    const [one, two, three] = await world.start(3);
    const first = one!.client.held();
    const second = two!.client.held();
    await settle();
    const third = three!.client.held();
    await settle();
    expect(await codes([three!.client.held()])).toEqual(['BULKHEAD_FULL']);
    expect(three!.app.get(BulkheadRegistry).get('db')).toMatchObject({ running: 0, waiting: 1 });
    one!.client.gate.resolve();
    three!.client.gate.resolve();
    await first;
    await settle();
    expect(await third).toBe(1);
    two!.client.gate.resolve();
    await second;
    expect(of('queued', three!.events)).toHaveLength(1);
  });

  it('regains the places of an instance that has died', async () => {
    const world = new World();
    const [one, two] = await world.start(2);
    void outcome(one!.client.held());
    void outcome(one!.client.held());
    await settle();
    one!.route.trouble = 'frozen'; // its store hears nothing of it any more, as if it had been killed
    const waits = two!.client.held();
    two!.client.gate.resolve();
    await world.clock.advance(14_000);
    expect(two!.client.ran).toBe(0);
    await world.clock.advance(7_000);
    expect(await waits).toBe(1);
  });

  it.each<[string, Trouble]>([
    ['is down', 'down'],
    ['is frozen', 'frozen'],
    ['throws', 'throwing'],
    ['answers nonsense', 'answering nonsense'],
  ])('goes on with a share per instance while the store %s', async (_, trouble) => {
    const world = new World();
    const instances = await world.start(2);
    for (const { route } of instances) route.trouble = trouble;
    const running = instances.map(({ client }) => client.held());
    await world.clock.advance(60);
    for (const { client } of instances) client.gate.resolve();
    expect(await codes(running)).toEqual([1, 1]);
  });

  it('may be reentrant', async () => {
    const [one] = await new World().start(1);
    expect(await one!.client.outer()).toBe('inside');
  });

  it('leaves nothing behind when the application closes', async () => {
    const world = new World();
    const [one] = await world.start(1);
    const running = [1, 2].map(() => one!.client.held());
    await settle();
    const waiting = outcome(one!.client.held());
    await settle();
    await one!.app.close();
    expect((await waiting).error).toMatchObject({ code: 'BULKHEAD_FULL', reason: 'closing' });
    expect(world.clock.pending).toBe(0);
    one!.client.gate.resolve();
    expect(await codes(running)).toEqual([1, 2]);
    expect(world.clock.pending).toBe(0);
  });
});

it('a shared part needs a store', async () => {
  class Alone {
    @RateLimit({ limit: 1, scope: 'shared' })
    async limited(): Promise<void> {}

    @Bulkhead({ scope: 'shared' })
    async held(): Promise<void> {}

    @RateLimit({ limit: 1, scope: wrong('global') })
    async misspelt(): Promise<void> {}
  }
  expect(await problemsOf({ providers: [Alone] })).toEqual([
    "Alone.limited @RateLimit: scope is 'shared', but there is no store to share the limit; give one: ResilienceModule.forRoot({ store })",
    "Alone.held @Bulkhead: scope is 'shared', but there is no store to share the places; give one: ResilienceModule.forRoot({ store })",
    "Alone.misspelt @RateLimit: scope is 'global'; use 'local' or 'shared'",
  ]);
});
