import { MemoryStore } from '../testing/memory/memory-store.js';
import { ManualClock } from '../testing/manual-clock.js';
import { CheckedStore } from './checked-store.js';
import type { FleetChange } from './fleet-change.js';
import { FleetChanges } from './fleet-changes.js';
import { StoreGuard } from './store-guard.js';

/** The instances of a fleet, as far as they exchange changes. */
class World {
  readonly clock = new ManualClock();
  readonly memory = new MemoryStore({ clock: this.clock });

  start(): Instance {
    return new Instance(this.memory, this.clock);
  }

  /** The patches in the store, by target. */
  async stored(): Promise<Record<string, unknown>> {
    const { settings } = (await this.memory.settings())!;
    const { changes } = JSON.parse(settings) as {
      changes: Pick<FleetChange, 'target' | 'patch'>[];
    };
    return Object.fromEntries(changes.map(({ target, patch }) => [target, patch]));
  }
}

class Instance {
  readonly changes: FleetChanges;
  private readonly guard: StoreGuard;
  private connection: 'up' | 'ends with the next write' | 'down' = 'up';

  constructor(memory: MemoryStore, clock: ManualClock) {
    const changeSettings: MemoryStore['changeSettings'] = async (...args) => {
      this.mustBeConnected();
      const answer = await memory.changeSettings(...args);
      if (this.connection !== 'up') this.connection = 'down';
      this.mustBeConnected();
      return answer;
    };
    const settings: MemoryStore['settings'] = async () => {
      this.mustBeConnected();
      return memory.settings();
    };
    const route = { kind: 'memory', settings, changeSettings } as MemoryStore;
    this.guard = new StoreGuard(new CheckedStore(route, () => {}), clock, {
      degraded: () => {},
      recovered: () => {},
    });
    this.changes = new FleetChanges({
      clock,
      guard: this.guard,
      backgroundTimeout: 250,
      freshFor: 0,
      hurry: () => {},
      log: () => {},
    });
    this.changes.start();
  }

  /** The store makes the next write, whose answer is lost; then it is away. */
  loseNextAnswer(): void {
    this.connection = 'ends with the next write';
  }

  async reconnect(): Promise<void> {
    this.connection = 'up';
    this.guard.recover();
    await this.read();
  }

  async make(target: string, patch: FleetChange['patch']): Promise<void> {
    this.changes.queue(this.changes.draft({ target, patch }, Infinity));
    this.changes.send();
    await this.changes.sync();
  }

  async read(): Promise<void> {
    this.changes.invalidate();
    await this.changes.sync();
  }

  /** The patch in force for a target. */
  patchOf(target: string): unknown {
    return this.changes.current.find((change) => change.target === target)?.patch;
  }

  private mustBeConnected(): void {
    if (this.connection === 'down') throw new Error('connection lost');
  }
}

const BOTH = { retry: { maxRetries: 3 }, timeout: { attempt: '5s' } };
const TIMEOUT = { timeout: { attempt: '5s' } };

describe('changes for the fleet', () => {
  describe('of which a part is taken back while there are as many as fit', () => {
    it.each([false, true])('lose it everywhere, for good; answer lost: %s', async (isLost) => {
      const world = new World();
      const [a, b] = [world.start(), world.start()];
      for (let i = 0; i < 100; i++) await a.make(`t${i}`, BOTH);
      if (isLost) a.loseNextAnswer();
      await a.make('t7', { retry: null });
      await a.reconnect();
      const { t6, t7 } = await world.stored();
      expect([t6, t7]).toEqual([BOTH, TIMEOUT]);
      expect(a.changes.busy).toBe(false);
      const steps = world.memory.steps;
      await world.clock.advance(3_700_000);
      await Promise.all([a.read(), b.read()]);
      expect([a, b].map((instance) => instance.patchOf('t7'))).toEqual([TIMEOUT, TIMEOUT]);
      expect(world.memory.steps - steps).toBe(2);
    });
  });

  describe('whose write was not confirmed', () => {
    it.each<[string, FleetChange['patch'], unknown]>([
      ['taken back', null, null],
      ['replaced', { retry: { maxRetries: 1 } }, { retry: { maxRetries: 1 } }],
    ])('are not written again when they were %s meanwhile', async (_title, patch, standing) => {
      const world = new World();
      const [a, b] = [world.start(), world.start()];
      a.loseNextAnswer();
      await a.make('t', { retry: { maxRetries: 9 } });
      expect(a.changes.busy).toBe(true);
      await b.read();
      await b.make('t', patch);
      await a.reconnect();
      await b.read();
      expect(await world.stored()).toEqual({ t: standing });
      expect([a, b].map((instance) => instance.patchOf('t'))).toEqual([standing, standing]);
      expect(a.changes.busy).toBe(false);
    });

    it('do not come back when it is no longer known who took them back', async () => {
      const world = new World();
      const [a, b] = [world.start(), world.start()];
      a.loseNextAnswer();
      await a.make('t', { retry: { maxRetries: 9 } });
      await b.read();
      await b.make('t', null);
      await world.clock.advance(3_700_000);
      await b.make('other', TIMEOUT);
      await a.reconnect();
      expect(await world.stored()).toEqual({ other: TIMEOUT });
      expect(a.patchOf('t')).toBeUndefined();
    });
  });

  it('that were taken back do not come back from an instance that was away while the store lost all', async () => {
    const world = new World();
    const [a, b] = [world.start(), world.start()];
    await a.make('t', BOTH);
    await b.read();
    world.memory.forget();
    await b.read();
    await b.make('t', null);
    await world.clock.advance(3_700_000);
    await b.make('other', TIMEOUT);
    await a.read();
    expect(await world.stored()).toEqual({ other: TIMEOUT });
  });

  it('remember a bounded number of those that are gone', async () => {
    const world = new World();
    const a = world.start();
    for (let i = 0; i < 60; i++) await a.make('t', { retry: { maxRetries: i } });
    const { settings } = (await world.memory.settings())!;
    expect(settings.length).toBeLessThan(2_500);
  });

  it('are not written again because of -0, which JSON does not know', async () => {
    const world = new World();
    const a = world.start();
    await a.make('t', { retry: { jitter: -0 } });
    await a.read();
    expect((await world.memory.settings())!.revision).toBe(1);
  });
});
