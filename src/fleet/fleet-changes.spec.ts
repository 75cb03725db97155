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
  /** Whether the store makes a write whose answer is lost. */
  losesAnswers = false;

  constructor(memory: MemoryStore, clock: ManualClock) {
    const changeSettings: MemoryStore['changeSettings'] = async (...args) => {
      const answer = await memory.changeSettings(...args);
      if (this.losesAnswers) throw new Error('connection lost');
      return answer;
    };
    const route = new Proxy(memory, {
      get: (store, name) =>
        name === 'changeSettings' ? changeSettings : (Reflect.get(store, name) as unknown),
    });
    const guard = new StoreGuard(new CheckedStore(route), clock, {
      degraded: () => {},
      recovered: () => {},
    });
    this.changes = new FleetChanges({
      clock,
      guard,
      backgroundTimeout: 250,
      freshFor: 0,
      hurry: () => {},
      log: () => {},
    });
    this.changes.start();
  }

  async make(target: string, patch: FleetChange['patch']): Promise<void> {
    this.changes.add(this.changes.draft({ target, patch }, Infinity));
    await this.changes.sync();
  }

  async read(): Promise<void> {
    this.changes.invalidate();
    await this.changes.sync();
  }

  /** The patch that stands for a target. */
  patchOf(target: string): unknown {
    return this.changes.current.find((change) => change.target === target)?.patch;
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
      a.losesAnswers = isLost;
      await a.make('t7', { retry: null });
      a.losesAnswers = false;
      await a.read();
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

  it('are not written again because of -0, which JSON does not know', async () => {
    const world = new World();
    const a = world.start();
    await a.make('t', { retry: { jitter: -0 } });
    await a.read();
    expect((await world.memory.settings())!.revision).toBe(1);
  });
});
