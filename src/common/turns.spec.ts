import { Turns, takeTurns } from './turns.js';

function busyFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('takeTurns', () => {
  it('gives all items in their order', async () => {
    const seen: number[] = [];
    for await (const item of takeTurns([3, 1, 2])) seen.push(item);
    expect(seen).toEqual([3, 1, 2]);
  });

  it('lets other work run in between, and counts the time of the loop body', async () => {
    let turn = 0;
    let done = false;
    const count = (): void => {
      turn += 1;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    const inTurn = new Map<number, number>();
    for await (const ms of takeTurns(new Array<number>(60).fill(1), 10)) {
      busyFor(ms);
      inTurn.set(turn, (inTurn.get(turn) ?? 0) + ms);
    }
    done = true;
    expect(Math.max(...inTurn.values())).toBeLessThanOrEqual(4); // a fifth of 10, and what was begun
    expect(inTurn.size).toBeGreaterThanOrEqual(10);
  });

  it('lets nothing run in between before its turn is over', async () => {
    let others = 0;
    setImmediate(() => (others += 1));
    for await (const _ of takeTurns([1, 2, 3], 60_000)) expect(others).toBe(0);
  });

  it('has a full turn again after each pause', async () => {
    const turns = new Turns(30_000);
    expect(turns.over).toBe(false);
    await turns.next();
    expect(turns.over).toBe(false);
    expect(new Turns(0).over).toBe(true);
  });

  it('ends the inner iteration when the loop is left', async () => {
    let ended = false;
    function* items(): Generator<number> {
      try {
        yield 1;
        yield 2;
      } finally {
        ended = true;
      }
    }
    for await (const item of takeTurns(items())) if (item === 1) break;
    expect(ended).toBe(true);
  });

  it('does not wait for an empty list, and passes errors on', async () => {
    const seen: unknown[] = [];
    for await (const item of takeTurns([])) seen.push(item);
    expect(seen).toEqual([]);
    function* broken(): Generator<number> {
      yield 1;
      throw new Error('out of order');
    }
    await expect(async () => {
      for await (const item of takeTurns(broken())) seen.push(item);
    }).rejects.toThrow('out of order');
    expect(seen).toEqual([1]);
  });
});
