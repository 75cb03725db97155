import { Injectable, type OnModuleInit } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ManualClock, MemoryStore } from '../src/testing/index.js';
import type { ResilienceStore } from '../src/fleet/store.js';
import { type Booted, appModule, boot, closeAll, quiet } from './support/boot.js';
import { type Deferred, deferred, settle } from './support/wait.js';

afterEach(closeAll);
afterEach(() => jest.useRealTimers());

/** A store, and applications that use it. */
class World {
  readonly clock = new ManualClock();
  readonly memory = new MemoryStore({ clock: this.clock });
  readonly left: Deferred = deferred();
  readonly leave = jest.spyOn(this.memory, 'leave').mockImplementation(() => this.left.promise);
  readonly close = jest.spyOn(this.memory, 'close');
  readonly settings = jest.spyOn(this.memory, 'settings');

  async start(store: ResilienceStore = this.memory): Promise<Booted> {
    const booted = await boot({ resilience: { clock: this.clock, store } });
    await settle();
    return booted;
  }
}

describe('a store when the application closes', () => {
  it('is closed after it was told that the instance ends; the application does not wait for it', async () => {
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

  describe('and a change for all was made just before', () => {
    async function startAndChange(world: World): Promise<Booted> {
      const booted = await world.start();
      booted.service.command('books', { run: async () => 1, timeout: '1s' });
      world.settings.mockReturnValueOnce(new Promise(() => {})); // the answer would come too late
      booted.service.configure('books', { timeout: '2s' }, { scope: 'shared' });
      return booted;
    }

    it('receives it, and then the end of the instance; the application does not wait for it', async () => {
      const world = new World();
      const change = jest.spyOn(world.memory, 'changeSettings');
      const { app } = await startAndChange(world);
      const read = deferred();
      world.settings.mockImplementationOnce(async () => void (await read.promise));
      await app.close();
      await settle();
      expect([change, world.leave].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
      read.resolve();
      await settle();
      expect([change, world.leave].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
      expect((await world.memory.settings())!.settings).toContain('"books"');
      world.left.resolve();
      await settle();
      expect(world.close).toHaveBeenCalledTimes(1);
      expect(world.clock.pending).toBe(0);
    });

    it.each(['rejects', 'throws', 'answers nonsense'])(
      'is told the end of the instance even if it %s',
      async (trouble) => {
        const world = new World();
        const { app } = await startAndChange(world);
        world.settings.mockImplementationOnce(() => {
          if (trouble === 'throws') throw new Error('not even a promise');
          if (trouble === 'rejects') return Promise.reject(new Error('down'));
          return Promise.resolve({} as never);
        });
        await app.close();
        await settle();
        expect(world.leave).toHaveBeenCalledTimes(1);
      },
    );

    it('is closed after a quarter of a second if it does not answer', async () => {
      const world = new World();
      const { app } = await startAndChange(world);
      world.settings.mockReturnValue(new Promise(() => {}));
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
      await app.close();
      await jest.advanceTimersByTimeAsync(249);
      expect(world.close).not.toHaveBeenCalled();
      await jest.advanceTimersByTimeAsync(1);
      expect(world.close).toHaveBeenCalledTimes(1);
    });
  });

  it('is not called without a change', async () => {
    const world = new World();
    const { app } = await world.start();
    world.settings.mockClear();
    await app.close();
    await settle();
    expect(world.settings).not.toHaveBeenCalled();
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

  it('is also closed if the application never started, unless another one uses it', async () => {
    @Injectable()
    class Broken implements OnModuleInit {
      onModuleInit(): void {
        throw new Error('no start');
      }
    }
    const world = new World();
    const failing = async (): Promise<void> => {
      const { AppModule } = appModule({
        providers: [Broken],
        resilience: { clock: world.clock, store: world.memory },
      });
      const app = await NestFactory.create(AppModule, quiet);
      await expect(app.init()).rejects.toThrow('no start');
      await app.close();
    };
    const other = await world.start();
    await failing();
    expect(world.close).not.toHaveBeenCalled();
    await other.app.close();
    world.left.resolve();
    await settle();
    expect(world.close).toHaveBeenCalledTimes(1);
    await failing();
    expect(world.close).toHaveBeenCalledTimes(2);
    expect(world.leave).toHaveBeenCalledTimes(1);
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
