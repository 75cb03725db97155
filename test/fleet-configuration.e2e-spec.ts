import { Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  type Patch,
  type PatchNote,
  ResilienceConfigurationError,
  type ResilienceEvent,
  ResilienceEvents,
  type ResilienceModuleOptions,
  Retry,
  Timeout,
  fallbackValue,
} from '../src/index.js';
import { OverrideTargets } from '../src/execution/configuration/override-targets.js';
import { LazyPlan } from '../src/execution/lazy-plan.js';
import { FLEET, type Fleet } from '../src/fleet/fleet.js';
import type { FleetChangeView } from '../src/fleet/snapshot.js';
import { policies } from '../src/policies/canonical-order.js';
import { ManualClock, MemoryStore } from '../src/testing/index.js';
import { type Booted, boot, closeAll, of } from './support/boot.js';
import { Route } from './support/fleet.js';
import { settle } from './support/wait.js';

afterEach(closeAll);
afterEach(() => jest.restoreAllMocks());

@Injectable()
class Books {
  @Retry({ maxRetries: 3 })
  @Timeout('1s')
  async list(): Promise<void> {}

  @CircuitBreaker({ name: 'storagesvc', halfOpen: { maxCalls: 1 } })
  async get(): Promise<void> {}

  @Fallback(fallbackValue('secret'))
  async answered(): Promise<string> {
    return 'live';
  }

  spare(): string {
    return 'spare';
  }
}

/** Of a later version of the application. */
class Shops {
  @Timeout('1s')
  async list(): Promise<void> {}
}
Injectable()(Shops);

interface Instance extends Booted {
  readonly route: Route;
  readonly warnings: string[];
  configure(target: string, patch: Patch | null, note?: PatchNote): void;
  /** The options in force of a policy of a method. */
  options(method: keyof Books, kind: string): Record<string, unknown> | undefined;
  /** The changes for the fleet, as operators see them. */
  changes(): Promise<readonly FleetChangeView[]>;
}

class World {
  readonly clock = new ManualClock();
  readonly memory = new MemoryStore({ clock: this.clock });
  private count = 0;

  async start(
    providers: (new () => object)[] = [Books],
    resilience: ResilienceModuleOptions = {},
  ): Promise<Instance> {
    const { clock } = this;
    const route = new Route(this.memory, clock);
    const heard: ResilienceEvent[] = [];
    @Injectable()
    class Listener {
      constructor(events: ResilienceEvents) {
        events.on('configuration', (event) => void heard.push(event));
      }
    }
    const warnings: string[] = [];
    const warn = (line: unknown): void => void warnings.push(String(line));
    const logger = { log: () => {}, warn, error: warn } as never;
    const booted = await boot({
      providers: [...providers, Listener],
      resilience: {
        clock,
        store: route.store,
        fleet: { instanceId: `i${++this.count}` },
        logger,
        logging: false,
        ...resilience,
      },
    });
    await settle();
    return {
      ...booted,
      events: heard,
      route,
      warnings,
      configure: (target, patch, note) =>
        booted.service.configure(target, patch, { scope: 'shared', ...note }),
      options: (method, kind) =>
        booted.service.describe(Books, method).policies.find((each) => each.kind === kind)?.options,
      changes: async () => {
        const snapshot = booted.app.get<Fleet>(FLEET).snapshot();
        await clock.advance(0);
        return (await snapshot).changes;
      },
    };
  }

  async startMany(count: number): Promise<Instance[]> {
    const started: Instance[] = [];
    for (let i = 0; i < count; i++) started.push(await this.start());
    return started;
  }
}

function retriesOf(instances: readonly Instance[]): unknown[] {
  return instances.map((instance) => instance.options('list', 'retry')?.maxRetries);
}

function problemsOf(make: () => void): readonly string[] {
  try {
    make();
  } catch (error) {
    if (error instanceof ResilienceConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe('a change of options for all instances', () => {
  it('applies here at once, elsewhere on arrival, and says who and why', async () => {
    const world = new World();
    const [a, b, c] = await world.startMany(3);
    a!.configure('Books.list', { retry: { maxRetries: 1 } }, { by: 'anna', reason: 'outage' });
    expect(retriesOf([a!, b!, c!])).toEqual([1, 3, 3]);
    await settle();
    expect(retriesOf([a!, b!, c!])).toEqual([1, 1, 1]);
    for (const { events } of [a!, b!, c!]) {
      expect(of('configuration', events)).toEqual([
        {
          type: 'configuration',
          name: 'Books.list',
          target: 'Books.list',
          patch: { retry: { maxRetries: 1 } },
          by: 'anna',
          reason: 'outage',
          scope: 'shared',
        },
      ]);
    }
  });

  it('is adopted by an instance that starts later', async () => {
    const world = new World();
    const [a] = await world.startMany(1);
    a!.configure('Books.list', { retry: { maxRetries: 1 } }, { by: 'anna', reason: 'outage' });
    a!.configure('storagesvc', { circuitBreaker: { halfOpen: { maxCalls: 4 } } });
    await settle();
    await a!.app.close();
    const late = await world.start();
    expect(retriesOf([late])).toEqual([1]);
    expect(late.registry.get('storagesvc').snapshot().limits).toBeDefined();
    expect(late.options('get', 'circuitBreaker')!.halfOpen).toEqual({ maxCalls: 4 });
    expect(of('configuration', late.events)).toMatchObject([{ by: 'anna' }, {}]);
  });

  it('reaches instances that miss the message, with the next poll', async () => {
    const world = new World();
    const [a, b] = await world.startMany(2);
    jest.spyOn(world.memory as unknown as { tell: () => void }, 'tell').mockReturnValue();
    a!.configure('Books.list', { retry: { maxRetries: 1 } });
    await settle();
    expect(retriesOf([b!])).toEqual([3]);
    await world.clock.advance(18_001);
    expect(retriesOf([b!])).toEqual([1]);
  });

  it('adds to earlier ones, and is reverted by null: for a policy, or the whole target', async () => {
    const world = new World();
    const [a, b] = await world.startMany(2);
    a!.configure('Books.list', { retry: { maxRetries: 1 }, timeout: '9s' });
    await settle();
    b!.configure('Books.list', { retry: { maxElapsedTime: '7s' } });
    await settle();
    const inForce = (): unknown[] =>
      [a!, b!].map((instance) => [
        instance.options('list', 'retry'),
        instance.options('list', 'timeout'),
      ]);
    const both = [{ maxRetries: 1, maxElapsedTime: '7s' }, { attempt: '9s' }];
    expect(inForce()).toEqual([both, both]);
    b!.configure('Books.list', { retry: null }, { by: 'bob' });
    await settle();
    const one = [{ maxRetries: 3 }, { attempt: '9s' }];
    expect(inForce()).toEqual([one, one]);
    expect(of('configuration', a!.events).at(-1)).toMatchObject({
      patch: { retry: null },
      by: 'bob',
    });
    a!.configure('Books.list', null, { by: 'eve', reason: 'over' });
    await settle();
    const none = [{ maxRetries: 3 }, { attempt: '1s' }];
    expect(inForce()).toEqual([none, none]);
    expect(of('configuration', b!.events).at(-1)).toMatchObject({
      patch: null,
      by: 'eve',
      reason: 'over',
    });
    expect(await a!.changes()).toEqual([]);
    const late = await world.start();
    expect(of('configuration', late.events)).toEqual([]);
  });

  it('ends everywhere when it expires, also for an instance that starts in between', async () => {
    const world = new World();
    const [a, b] = await world.startMany(2);
    const until = new Date(world.clock.wall() + 60_000);
    a!.configure('Books.list', { retry: { maxRetries: 1 } }, { by: 'anna', until });
    a!.configure('Books.list', { timeout: '9s' });
    await world.clock.advance(30_000);
    const c = await world.start();
    expect(of('configuration', c.events)[0]!.until!.getTime()).toBeCloseTo(until.getTime(), -2);
    await world.clock.advance(29_900);
    expect(retriesOf([a!, b!, c])).toEqual([1, 1, 1]);
    await world.clock.advance(200);
    expect(retriesOf([a!, b!, c])).toEqual([3, 3, 3]);
    for (const instance of [a!, b!, c]) {
      expect(instance.options('list', 'timeout')).toEqual({ attempt: '9s' });
      expect(of('configuration', instance.events).at(-1)).toMatchObject({
        patch: { retry: null },
        by: 'anna',
        scope: 'shared',
        ended: true,
      });
    }
    const late = await world.start();
    expect(retriesOf([late])).toEqual([3]);
    expect(late.options('list', 'timeout')).toEqual({ attempt: '9s' });
  });

  it('yields to a change of one instance alone', async () => {
    const world = new World();
    const [a, b] = await world.startMany(2);
    b!.service.configure('Books.list', { retry: { maxRetries: 9 } });
    a!.configure('Books.list', { retry: { maxRetries: 1, maxElapsedTime: '5s' } });
    await settle();
    expect(b!.options('list', 'retry')).toEqual({ maxRetries: 9, maxElapsedTime: '5s' });
    b!.service.configure('Books.list', null);
    expect(retriesOf([a!, b!])).toEqual([1, 1]);
  });

  it('stays in force when a listener makes another one', async () => {
    const world = new World();
    const [a, b] = await world.startMany(2);
    a!.app.get(ResilienceEvents).on('configuration', ({ target }) => {
      if (target === 'Books.list')
        a!.configure('storagesvc', { circuitBreaker: { openFor: '9s' } });
    });
    a!.configure('Books.list', { retry: { maxRetries: 1 } });
    await settle();
    for (const instance of [a!, b!]) {
      const told = of('configuration', instance.events);
      expect(told.map(({ target, ended }) => [target, ended])).toEqual([
        ['Books.list', undefined],
        ['storagesvc', undefined],
      ]);
      expect(retriesOf([instance])).toEqual([1]);
      expect(instance.options('get', 'circuitBreaker')).toMatchObject({ openFor: '9s' });
    }
  });

  describe('when it is wrong', () => {
    it('has no effect anywhere, and all problems are reported', async () => {
      const world = new World();
      const [a, b] = await world.startMany(2);
      const before = await world.memory.settings();
      const when = { retry: { maxRetries: -1 }, timeout: { attempt: 'soon' } } as never;
      const problems = problemsOf(() => a!.configure('Books.list', when));
      expect(problems).toHaveLength(2);
      expect(problems.join()).toMatch(/attempt .*'soon'.*maxRetries .*-1/s);
      await settle();
      expect(retriesOf([a!, b!])).toEqual([3, 3]);
      expect(await world.memory.settings()).toEqual(before);
      expect(of('configuration', a!.events)).toEqual([]);
    });

    it.each<[string, string, Patch | null, PatchNote, RegExp]>([
      ['has a target that is not there', 'Boks.list', { retry: {} }, {}, /Boks\.list.* not a/],
      ['takes back what nobody has changed, of no target', 'Boks', null, {}, /not a decorated/],
      ['has a policy that is not there', 'Books.list', { bulkhead: 3 }, {}, /no such policy/],
      [
        'has a function',
        'Books.list',
        { retry: { when: () => true } } as never,
        {},
        /retry\.when.*plain data/,
      ],
      [
        'is endless',
        'Books.list',
        { retry: { maxRetries: Infinity } },
        {},
        /maxRetries is Infinity.*plain data/,
      ],
      [
        'renames a part',
        'storagesvc',
        { circuitBreaker: { name: 'x' } },
        {},
        /name cannot be changed/,
      ],
      [
        'ends in the past',
        'Books.list',
        { retry: {} },
        { until: new Date(0) },
        /until is .* in the future/,
      ],
      ['ends at no date', 'Books.list', { retry: {} }, { until: '1h' as never }, /until is '1h'/],
      [
        'ends, but takes all back',
        'Books.list',
        null,
        { until: new Date(8e15) },
        /^configure\('Books\.list'\): until is only for options that are set; null reverts .* for good/,
      ],
      [
        'ends, but takes a policy back',
        'Books.list',
        { retry: null, timeout: '2s' },
        { until: new Date(8e15) },
        /until is only for options that are set/,
      ],
      [
        'ends, but is local',
        'Books.list',
        { retry: {} },
        { scope: 'local', until: new Date(9e15) },
        /until is only for/,
      ],
      [
        'has another scope',
        'Books.list',
        { retry: {} },
        { scope: 'global' as never },
        /scope is 'global'; use/,
      ],
    ])('because it %s', async (_title, target, patch, note, problem) => {
      const world = new World();
      const [a] = await world.startMany(1);
      expect(problemsOf(() => a!.configure(target, patch, note)).join()).toMatch(problem);
      await settle();
      expect(await world.memory.settings()).toBeUndefined();
    });

    it('because there is no store', async () => {
      const { service } = await boot({ providers: [Books] });
      const make = (): void => service.configure('Books', { timeout: '1s' }, { scope: 'shared' });
      expect(problemsOf(make).join()).toMatch(/there is no store/);
    });

    it('because the fleet keeps the maximum already, until some are reverted', async () => {
      const world = new World();
      const [a] = await world.startMany(1);
      let made = 0;
      const fill = (): void => {
        for (; made < 1_000; made++) {
          // Each ends before the former one, so that none covers another.
          const until = new Date(world.clock.wall() + 3_600_000 - made);
          const reason = 'x'.repeat(300);
          a!.configure('Books.list', { timeout: `${made + 1}s` }, { until, reason });
        }
      };
      expect(problemsOf(fill).join()).toMatch(/keeps at most 100 changes and 16384 bytes/);
      await settle();
      expect((await world.memory.settings())!.settings.length).toBeLessThan(16_600);
      a!.configure('Books.list', null);
      a!.configure('Books.list', { timeout: '2s' });
      await settle();
      expect(await a!.changes()).toMatchObject([{ patch: { timeout: { attempt: '2s' } } }]);
    });
  });

  describe('where instances differ', () => {
    it('is skipped by an instance without that name, with one warning, until the name exists', async () => {
      const world = new World();
      const both = await world.start([Books, Shops]);
      const old = await world.start([Books]);
      both.configure('Shops.list', { timeout: '9s' }, { by: 'anna' });
      both.configure('Books.list', { timeout: '8s' });
      await settle();
      expect(old.options('list', 'timeout')).toEqual({ attempt: '8s' });
      await world.clock.advance(60_000);
      expect(old.warnings).toEqual([
        `configure('Shops.list') by anna for all instances is not in force here: nothing has that name`,
      ]);
      expect((await old.changes()).map(({ target, inForce }) => [target, inForce])).toEqual([
        ['Shops.list', false],
        ['Books.list', true],
      ]);
      old.configure('Shops.list', null, { by: 'bob' });
      await settle();
      expect(of('configuration', both.events).at(-1)).toMatchObject({ patch: null, by: 'bob' });
    });

    it('is in force for a command that is made later', async () => {
      const world = new World();
      const a = await world.start();
      const b = await world.start();
      a.service.command('late', { run: async () => 1, timeout: '1s' });
      a.configure('late', { timeout: '5s' });
      await settle();
      const command = b.service.command('late', { run: async () => 1, timeout: '1s' });
      await world.clock.advance(18_001);
      expect(command.describe().policies).toEqual([
        { kind: 'timeout', options: { attempt: '5s' } },
      ]);
    });

    it('is in force for a command that is made later, even if another one is gone since', async () => {
      const world = new World();
      const [a, b] = await world.startMany(2);
      const define = (instance: Instance, name: string): unknown =>
        instance.service.command(name, { run: async () => 1, timeout: '1s' }).describe().policies;
      define(b!, 'former');
      define(a!, 'late');
      a!.configure('late', { timeout: '5s' });
      await settle();
      const deref = Reflect.get(WeakRef.prototype, 'deref');
      jest.spyOn(WeakRef.prototype, 'deref').mockImplementation(function (this: WeakRef<object>) {
        const object = Reflect.apply(deref, this, []);
        const isFormer = object instanceof LazyPlan && object.subject.name === 'former';
        return isFormer ? undefined : object;
      });
      define(b!, 'late');
      await world.clock.advance(18_001);
      expect(await b!.changes()).toMatchObject([{ target: 'late', inForce: true }]);
    });

    it('that is wrong for one instance has no effect there, with one warning; the others apply', async () => {
      const world = new World();
      const [a] = await world.startMany(1);
      const strict = await world.start([Books], {
        overrides: { 'Books.list': { timeout: { total: '2s' } } },
      });
      a!.configure('Books.list', { retry: { maxRetries: 1 } });
      a!.configure('Books.list', { timeout: { attempt: '20s' } });
      a!.configure('Books.answered', { fallback: { maxConcurrent: 7 } });
      await world.clock.advance(60_000);
      expect(a!.options('list', 'timeout')).toEqual({ attempt: '20s' });
      expect(retriesOf([strict])).toEqual([1]);
      expect(strict.options('list', 'timeout')).toEqual({ attempt: '1s', total: '2s' });
      expect(strict.options('answered', 'fallback')).toMatchObject({ maxConcurrent: 7 });
      expect(strict.warnings).toHaveLength(1);
      expect(strict.warnings[0]).toMatch(/configure\('Books.list'\) for all .*20/);
    });

    it.each([
      ['no JSON', '{'],
      ['a list', '[]'],
      ['of another form', '{"life":"x","version":1,"changes":{}}'],
    ])('stays as it was if the store has settings that are %s', async (_title, text) => {
      const world = new World();
      const [a] = await world.startMany(1);
      a!.configure('Books.list', { retry: { maxRetries: 1 } });
      await settle();
      await world.memory.changeSettings(1, text);
      await world.clock.advance(60_000);
      expect(retriesOf([a!])).toEqual([1]);
      expect(a!.warnings).toEqual([
        'store memory: the store has settings that cannot be read; the next change replaces them',
      ]);
      a!.configure('Books.list', { timeout: '7s' });
      await settle();
      expect(retriesOf([await world.start()])).toEqual([1]);
    });

    it('ignores invalid entries, and members of every object as names', async () => {
      const world = new World();
      const right = { id: '1', target: 'Books.list', patch: { retry: { maxRetries: 1 } } };
      const wrong = [
        null,
        3,
        { ...right, id: 4 },
        { ...right, patch: { retry: 'no' } },
        { ...right, id: '5', remainingMs: '7' },
        { ...right, id: '6', target: '__proto__' },
        JSON.parse('{"id":"7","target":"Books.list","patch":{"__proto__":{"polluted":true}}}'),
        { ...right, id: '8', patch: { constructor: { maxRetries: 8 } } },
      ];
      const document = { life: 'x', version: 1, changes: [...wrong, right] };
      await world.memory.changeSettings(0, JSON.stringify(document));
      const a = await world.start();
      expect(retriesOf([a])).toEqual([1]);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });
  });

  describe('when two instances change at the same moment', () => {
    it('both changes are kept, on all instances', async () => {
      const world = new World();
      const [a, b, c] = await world.startMany(3);
      a!.configure('Books.list', { retry: { maxRetries: 1 } });
      b!.configure('storagesvc', { circuitBreaker: { openFor: '9s' } });
      c!.configure('Books.list', { timeout: '7s' });
      await settle();
      for (const instance of [a!, b!, c!]) {
        expect(retriesOf([instance])).toEqual([1]);
        expect(instance.options('list', 'timeout')).toEqual({ attempt: '7s' });
        expect(instance.options('get', 'circuitBreaker')).toMatchObject({ openFor: '9s' });
        expect(of('configuration', instance.events)).toHaveLength(3);
      }
    });

    it('for the same option, all instances agree on one', async () => {
      const world = new World();
      const instances = await world.startMany(5);
      instances.forEach((instance, i) =>
        instance.configure('Books.list', { retry: { maxRetries: 10 + i } }),
      );
      await settle();
      await world.clock.advance(40_000);
      const [first, ...others] = retriesOf(instances);
      expect(first).toBeGreaterThanOrEqual(10);
      expect(others).toEqual([first, first, first, first]);
      expect(await instances[0]!.changes()).toHaveLength(1);
    });
  });

  describe('while the store is away', () => {
    it.each(['down', 'frozen', 'throwing', 'answering nonsense'] as const)(
      'applies here as pending, and is sent when the store is back: %s',
      async (trouble) => {
        const world = new World();
        const [a, b] = await world.startMany(2);
        a!.route.trouble = trouble;
        await world.clock.advance(40_000);
        a!.configure('Books.list', { retry: { maxRetries: 1 } }, { by: 'anna' });
        b!.configure('Books.list', { timeout: '7s' });
        await world.clock.advance(5_000);
        expect(retriesOf([a!, b!])).toEqual([1, 3]);
        expect(of('configuration', a!.events)).toMatchObject([{ by: 'anna', pending: true }]);
        expect(await a!.changes()).toMatchObject([{ pending: true, inForce: true }]);
        a!.route.trouble = undefined;
        await world.clock.advance(3_000);
        expect(retriesOf([a!, b!])).toEqual([1, 1]);
        expect(a!.options('list', 'timeout')).toEqual({ attempt: '7s' });
        expect(await a!.changes()).toMatchObject([{ pending: false }, { pending: false }]);
        expect(a!.warnings.filter((line) => !line.includes('does not answer'))).toEqual([]);
      },
    );

    it('is sent once, even if the answer of the store was lost', async () => {
      const world = new World();
      const [a, b] = await world.startMany(2);
      a!.route.methods = ['changeSettings'];
      a!.route.trouble = { slowMs: 400 };
      a!.configure('Books.list', { retry: { maxRetries: 1 } });
      await world.clock.advance(300);
      a!.route.trouble = undefined;
      await world.clock.advance(5_000);
      expect(retriesOf([a!, b!])).toEqual([1, 1]);
      expect(await b!.changes()).toHaveLength(1);
      expect(of('configuration', b!.events)).toHaveLength(1);
    });
  });

  describe('when the store has lost it', () => {
    it('is written again by the first instance that notices, for the rest of its time', async () => {
      const world = new World();
      const [a, b] = await world.startMany(2);
      const until = new Date(world.clock.wall() + 120_000);
      a!.configure('Books.list', { retry: { maxRetries: 1 } }, { by: 'anna', until });
      a!.configure('Books.list', { timeout: '7s' });
      await settle();
      world.memory.forget();
      await world.clock.advance(20_000);
      const late = await world.start();
      expect(retriesOf([a!, b!, late])).toEqual([1, 1, 1]);
      expect(late.options('list', 'timeout')).toEqual({ attempt: '7s' });
      expect(of('configuration', b!.events)).toHaveLength(2);
      await world.clock.advance(101_000);
      expect(retriesOf([a!, b!, late])).toEqual([3, 3, 3]);
    });

    it('is not written again if it was reverted', async () => {
      const world = new World();
      const [a, b] = await world.startMany(2);
      a!.configure('Books.list', { retry: { maxRetries: 1 } });
      await settle();
      a!.configure('Books.list', null);
      await settle();
      world.memory.forget();
      await world.clock.advance(40_000);
      expect(retriesOf([a!, b!, await world.start()])).toEqual([3, 3, 3]);
    });

    it('and another one was made meanwhile, both stand', async () => {
      const world = new World();
      const [a, b] = await world.startMany(2);
      a!.configure('Books.list', { retry: { maxRetries: 1 } });
      await settle();
      world.memory.forget();
      const fresh = await world.start();
      fresh.configure('Books.list', { timeout: '7s' });
      await world.clock.advance(40_000);
      for (const instance of [a!, b!, fresh]) {
        expect(retriesOf([instance])).toEqual([1]);
        expect(instance.options('list', 'timeout')).toEqual({ attempt: '7s' });
      }
    });

    it('only the newest, as after a failover, instances that know it write it again', async () => {
      const world = new World();
      const [a, b] = await world.startMany(2);
      a!.configure('Books.list', { retry: { maxRetries: 1 } });
      await settle();
      const { settings } = (await world.memory.settings())!;
      a!.configure('Books.list', { retry: null, timeout: '7s' });
      await settle();
      world.memory.forget();
      await world.memory.changeSettings(0, settings);
      await world.clock.advance(40_000);
      const late = await world.start();
      expect(retriesOf([a!, b!, late])).toEqual([3, 3, 3]);
      expect(late.options('list', 'timeout')).toEqual({ attempt: '7s' });
    });
  });

  it('shows no value that may be data of users', async () => {
    const world = new World();
    const [a] = await world.startMany(1);
    a!.configure('Books.answered', { fallback: { handler: 'spare' } });
    await settle();
    const patch = { fallback: { handler: '[handler]' } };
    expect(await a!.changes()).toMatchObject([{ patch, inForce: true }]);
    expect(of('configuration', a!.events)).toMatchObject([{ patch }]);
  });

  it('reads all names once, and only the plans that it changes, for any number of changes', async () => {
    const world = new World();
    const instances = await world.startMany(2);
    const names = jest.spyOn(OverrideTargets.prototype as unknown as { add: () => void }, 'add');
    const plans = jest.spyOn(policies.get('timeout')!, 'read');
    const breakers = jest.spyOn(policies.get('circuitBreaker')!, 'read');
    const counts: number[][] = [];
    for (let i = 0; i < 20; i++) {
      // Each ends before the former one, so that none covers another.
      const until = new Date(world.clock.wall() + 3_600_000 - i);
      const patch: Patch = { circuitBreaker: { openFor: `${i + 1}s` } };
      const target = i % 2 === 0 ? 'storagesvc' : 'Books.get';
      instances[0]!.configure(target, patch, { until });
      await settle();
      counts.push([names, plans, breakers].map(({ mock }) => mock.calls.length));
      for (const spy of [names, plans, breakers]) spy.mockClear();
    }
    instances[0]!.configure('Books.list', { timeout: '5s' });
    await settle();
    expect(plans).toHaveBeenCalled();
    expect(breakers).not.toHaveBeenCalled();
    expect(counts.at(-1)).toEqual(counts[0]);
    expect(counts[0]![1]).toBe(0);
    expect(await instances[1]!.changes()).toHaveLength(21);
  });

  it('costs a fleet at rest one step per poll, and leaves no timer behind', async () => {
    const world = new World();
    const [a] = await world.startMany(1);
    const until = new Date(world.clock.wall() + 3_600_000);
    a!.configure('Books.list', { retry: { maxRetries: 1 } }, { until });
    await world.clock.advance(20_000);
    const count = (): number => a!.route.calls.filter((method) => method === 'settings').length;
    const before = count();
    await world.clock.advance(150_000);
    expect(count() - before).toBeGreaterThanOrEqual(9);
    expect(count() - before).toBeLessThanOrEqual(13);
    await a!.app.close();
    expect(world.clock.pending).toBe(0);
  });
});
