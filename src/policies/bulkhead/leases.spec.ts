import { Instance } from '../../../test/support/guarded-store.js';
import { settle } from '../../../test/support/wait.js';
import type { ResilienceStore } from '../../fleet/store.js';
import { ManualClock, MemoryStore } from '../../testing/index.js';
import { Leases } from './leases.js';

/** The places of an instance, one for all, and a store whose answers about places may be slow. */
class World {
  readonly clock = new ManualClock();
  readonly memory = new MemoryStore({ clock: this.clock });
  answersAfter = 0;
  readonly leases: Leases;

  constructor() {
    const { clock, memory } = this;
    const slow: Pick<ResilienceStore, 'places'> = {
      places: async (name, step) => {
        const answer = await memory.places(name, step);
        const ms = this.answersAfter;
        if (ms > 0) await new Promise<void>((resolve) => void clock.setTimer(resolve, ms));
        return answer;
      },
    };
    const store = new Proxy<ResilienceStore>(memory, {
      get: (target, name: 'places') => slow[name] ?? target[name],
    });
    this.leases = new Leases('db', clock, new Instance(store, clock).store);
  }

  async hold(): Promise<string> {
    const token = this.leases.token();
    expect(await this.leases.acquire(token, 1)).toMatchObject({ granted: true });
    this.leases.add(token);
    return token;
  }

  /** Whether the place is free in the store. */
  async free(): Promise<boolean> {
    const token = 'other';
    const { granted } = await this.memory.places('db', {
      type: 'acquire',
      token,
      instanceId: 'b',
      limit: 1,
      leaseMs: 1_000,
    });
    if (granted) await this.memory.places('db', { type: 'release', token });
    return granted;
  }
}

describe('a place that the store has lost', () => {
  it('is taken again for the call that runs in it, even by a late answer', async () => {
    for (const ms of [0, 70]) {
      const world = new World();
      await world.hold();
      world.memory.forget();
      world.answersAfter = ms;
      await world.clock.advance(5_000 + 2 * ms);
      await settle();
      expect(await world.free()).toBe(false);
      world.leases.close();
    }
  });

  it('is given back when the call has ended before it was taken again', async () => {
    const world = new World();
    const token = await world.hold();
    world.memory.forget();
    world.answersAfter = 70;
    await world.clock.advance(5_075); // it is being taken
    expect(await world.free()).toBe(false);
    world.answersAfter = 0;
    await world.leases.release(token);
    await world.clock.advance(100);
    expect(await world.free()).toBe(true);
    expect(world.clock.pending).toBe(0);
  });
});
