import { KEEP_MS } from '../../fleet/spans.js';
import { storeContract } from '../contract/store-contract.js';
import { ManualClock } from '../manual-clock.js';
import { MemoryStore } from './memory-store.js';

describe('MemoryStore', () => {
  const clock = new ManualClock();

  describe('keeps the contract', () => {
    const spaces = new Map<string, MemoryStore>();
    const connect = (space: string): MemoryStore => {
      const store = spaces.get(space) ?? new MemoryStore({ clock });
      spaces.set(space, store);
      return store;
    };
    const wait = (ms: number): Promise<void> => clock.advance(ms);
    const lose = (space: string): void => spaces.get(space)!.forget();
    for (const { title, run } of storeContract({ connect, wait, lose })) test(title, run);
  });

  it('takes its times from the machine by default', async () => {
    const store = new MemoryStore();
    const opened = await store.circuit('name', {
      type: 'trip',
      epoch: 0,
      incarnation: '',
      instanceId: 'a',
      openMs: [60_000],
    });
    expect(opened.view.remainingMs).toBe(60_000);
  });

  it('forgets a circuit when its deadlines are long over, and never one with an override without an end', async () => {
    const store = new MemoryStore({ clock });
    await store.circuit('open', {
      type: 'trip',
      epoch: 0,
      incarnation: '',
      instanceId: 'a',
      openMs: [60_000],
    });
    await store.circuit('forced', { type: 'override', override: { state: 'forced-open' } });
    await clock.advance(60_000 + KEEP_MS - 1);
    expect(await store.circuits(['open', 'forced'])).toEqual([
      expect.objectContaining({ state: 'open', remainingMs: 0 }),
      expect.anything(),
    ]);
    await clock.advance(1);
    await clock.advance(10 * KEEP_MS);
    expect(await store.circuits(['open', 'forced'])).toEqual([undefined, expect.anything()]);
  });

  it('rejects steps while it is down, and says so when it is there again', async () => {
    const store = new MemoryStore({ clock });
    const heard = jest.fn();
    await store.subscribe(heard);
    store.fail();
    await expect(store.settings()).rejects.toThrow('the memory store is down');
    expect(heard).not.toHaveBeenCalled();
    store.recover();
    await expect(store.settings()).resolves.toBeUndefined();
    expect(heard).toHaveBeenCalledWith({ type: 'reconnected' });
    expect(store.steps).toBe(2);
  });

  it('does not answer while it is frozen', async () => {
    const store = new MemoryStore({ clock });
    store.fail('frozen');
    const answered = jest.fn();
    void store.heartbeat({ id: 'a' }, 1_000).then(answered, answered);
    await clock.advance(1_000);
    expect(answered).not.toHaveBeenCalled();
  });

  it('tells a change later, and to each listener even if another one throws', async () => {
    const store = new MemoryStore({ clock });
    const heard = jest.fn();
    await store.subscribe(() => {
      throw new Error('of a listener');
    });
    await store.subscribe(heard);
    const change = store.changeSettings(0, '{}');
    expect(heard).not.toHaveBeenCalled();
    await change;
    await clock.advance(0);
    expect(heard).toHaveBeenCalledTimes(1);
  });
});
