import { ManualClock, MemoryStore } from '../src/testing/index.js';
import type { ResilienceStore } from '../src/fleet/store.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { refuseUnhandledRejections } from './support/commands.js';
import { type Deferred, deferred, settle } from './support/wait.js';

afterEach(closeAll);
afterEach(() => jest.useRealTimers());
refuseUnhandledRejections();

/** A store, and applications that use it. */
class World {
  readonly clock = new ManualClock();
  readonly memory = new MemoryStore({ clock: this.clock });
  readonly left: Deferred = deferred();
  readonly leave = jest.spyOn(this.memory, 'leave').mockImplementation(() => this.left.promise);
  readonly close = jest.spyOn(this.memory, 'close');

  async start(store: ResilienceStore = this.memory): Promise<Booted> {
    const booted = await boot({ resilience: { clock: this.clock, store } });
    await settle();
    return booted;
  }
}

describe('a store when the application closes', () => {
  it('is closed when it has heard that the instance ends; the application does not wait for it', async () => {
    const world = new World();
    const { app } = await world.start();
    await app.close();
    await settle();
    expect([world.leave.mock.calls.length, world.close.mock.calls.length]).toEqual([1, 0]);
    world.left.resolve();
    await settle();
    expect(world.close).toHaveBeenCalledTimes(1);
    expect(world.clock.pending).toBe(0);
  });

  it.each(['throws', 'rejects'])('is closed too when leave() %s', async (end) => {
    const world = new World();
    world.leave.mockImplementation(() => {
      if (end === 'throws') throw new Error('not even a promise');
      return Promise.reject(new Error('down'));
    });
    const { app } = await world.start();
    await app.close();
    await settle();
    expect(world.close).toHaveBeenCalledTimes(1);
  });

  it('is closed after a quarter of a second if it does not answer', async () => {
    const world = new World();
    const { app } = await world.start();
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    await app.close();
    await jest.advanceTimersByTimeAsync(249);
    expect(world.close).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(world.close).toHaveBeenCalledTimes(1);
  });

  it('is closed at once when it is away', async () => {
    const world = new World();
    const { app } = await world.start();
    world.memory.fail('down');
    await world.clock.advance(60_000);
    await app.close();
    expect(world.leave).not.toHaveBeenCalled();
    expect(world.close).toHaveBeenCalledTimes(1);
  });

  it('stays open for an application that has started meanwhile', async () => {
    const world = new World();
    const [one, two] = [await world.start(), await world.start()];
    await one.app.close();
    await two.app.close();
    const three = await world.start();
    world.left.resolve();
    await settle();
    expect(world.close).not.toHaveBeenCalled();
    await three.app.close();
    await settle();
    expect(world.close).toHaveBeenCalledTimes(1);
  });
});
