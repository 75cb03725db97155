import { watchLater, watchNoMore } from './client-watch.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Watching {
  place = -1;
  asked = 0;
  watchClient(): void {
    this.asked += 1;
  }
}

describe('a call that waits for the turn of the event loop', () => {
  it('is asked once, also if another one throws', async () => {
    const calls = [new Watching(), new Watching(), new Watching()];
    calls[0]!.watchClient = () => {
      throw new Error('a bug');
    };
    calls.forEach(watchLater);
    expect(calls.map(({ asked }) => asked)).toEqual([0, 0, 0]);
    await turn();
    await turn();
    expect(calls.map(({ asked }) => asked)).toEqual([0, 1, 1]);
  });

  it('is not asked when it has ended before, and others are', async () => {
    const [ended, going, later] = [new Watching(), new Watching(), new Watching()];
    watchLater(ended);
    watchLater(going);
    watchNoMore(ended);
    await turn();
    watchLater(later);
    watchNoMore(going); // in a later turn than its own
    await turn();
    expect([ended.asked, going.asked, later.asked]).toEqual([0, 1, 1]);
  });
});
