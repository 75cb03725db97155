import { Outbox } from './outbox.js';

/** An outbox, and a store that may be away. */
function outbox(): { box: Outbox; there: { store: boolean }; arrived: string[]; full: jest.Mock } {
  const there = { store: true };
  const full = jest.fn();
  return { box: new Outbox(full), there, arrived: [], full };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what waits for the store', () => {
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

  it('is bounded: the oldest goes, and somebody hears of it', async () => {
    const { box, full } = outbox();
    const away = async (): Promise<undefined> => undefined;
    for (let i = 0; i < 1_001; i++) box.put(`${i}`, away);
    expect([box.size, box.has('0'), box.has('1000')]).toEqual([1_000, false, true]);
    expect(full).toHaveBeenCalledTimes(1);
    box.clear();
    expect(box.size).toBe(0);
  });
});
