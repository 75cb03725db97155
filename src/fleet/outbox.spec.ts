import { Outbox } from './outbox.js';

/** An outbox, and a store that may be away. */
function outbox(): { box: Outbox; there: { store: boolean }; arrived: string[]; full: jest.Mock } {
  const there = { store: true };
  const full = jest.fn();
  return { box: new Outbox(full), there, arrived: [], full };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('messages that wait for the store', () => {
  it('is delivered in order; of each key only the last message', async () => {
    const { box, there, arrived } = outbox();
    const message = (text: string) => async () =>
      there.store ? () => void arrived.push(text) : undefined;
    there.store = false;
    box.put('a', message('a1'));
    box.put('b', message('b1'));
    box.put('a', message('a2'));
    await settle();
    expect([box.size, box.has('a'), arrived]).toEqual([2, true, []]);
    there.store = true;
    await box.flush();
    expect([box.size, box.has('a'), arrived]).toEqual([0, false, ['b1', 'a2']]);
  });

  it('is delivered anew when another message has come meanwhile', async () => {
    const { box, arrived } = outbox();
    let end!: () => void;
    const slow = new Promise<void>((resolve) => (end = resolve));
    box.put('a', async () => {
      await slow;
      return () => void arrived.push('a1');
    });
    box.put('a', async () => () => void arrived.push('a2'));
    end();
    await settle();
    expect(arrived).toEqual(['a1', 'a2']);
    expect(box.size).toBe(0);
  });

  it('is bounded: the oldest go, and somebody hears of it once, until all have been delivered', async () => {
    const { box, there, full } = outbox();
    const message = async (): Promise<(() => void) | undefined> =>
      there.store ? () => {} : undefined;
    const fill = (): void => {
      there.store = false;
      for (let i = 0; i < 1_002; i++) box.put(`${i}`, message);
    };
    fill();
    expect([box.size, box.has('1'), box.has('2')]).toEqual([1_000, false, true]);
    expect(full).toHaveBeenCalledTimes(1);
    await settle();
    there.store = true;
    await box.flush();
    fill();
    expect(full).toHaveBeenCalledTimes(2);
    box.clear();
    expect(box.size).toBe(0);
  });

  it('goes on being delivered after a delivery that throws', async () => {
    const { box, arrived } = outbox();
    box.put('a', async () => () => {
      throw new Error('of a listener');
    });
    await settle();
    box.put('b', async () => () => void arrived.push('b'));
    await settle();
    expect([arrived, box.size]).toEqual([['b'], 0]);
  });
});
