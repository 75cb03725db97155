import { MemoryStore } from '../testing/index.js';
import type { ResilienceStore } from './store.js';
import { Subscription } from './subscription.js';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the subscription of a fleet', () => {
  function refusedBy(subscribe: ResilienceStore['subscribe']): {
    readonly subscription: Subscription;
    readonly refused: unknown[];
  } {
    const refused: unknown[] = [];
    const store = Object.assign(new MemoryStore(), { subscribe });
    const subscription = new Subscription(
      store,
      () => {},
      (error) => refused.push(error),
    );
    return { subscription, refused };
  }

  it('asks again after a refusal, and reports it only if the store has just answered', async () => {
    const refusal = new Error('NOPERM');
    const subscribe = jest.fn().mockRejectedValueOnce(refusal).mockRejectedValueOnce(refusal);
    subscribe.mockResolvedValue(async () => {});
    const { subscription, refused } = refusedBy(subscribe);
    subscription.ensure();
    await settle();
    expect(refused).toEqual([]);
    for (let poll = 0; poll < 3; poll++) {
      subscription.ensure(true);
      await settle();
    }
    expect(refused).toEqual([refusal]);
    expect(subscribe).toHaveBeenCalledTimes(3);
    subscription.close();
  });

  it('reports nothing once it is closed', async () => {
    const { subscription, refused } = refusedBy(() => Promise.reject(new Error('closed')));
    subscription.ensure(true);
    subscription.close();
    await settle();
    expect(refused).toEqual([]);
  });
});
