/** Captured at load: test frameworks replace the global ones. */
const { performance, setImmediate } = globalThis;

/** How long other work may wait, milliseconds. */
const LONGEST_TURN = 10;

/** Divides long work into turns, between which the event loop can do other work. */
export class Turns {
  private endsAt: number;
  /** A fifth of the limit, to leave time for the last piece of work and for garbage collection. */
  private readonly length: number;

  /** @param maxMs how long a turn may take, milliseconds */
  constructor(maxMs = LONGEST_TURN) {
    this.length = maxMs / 5;
    this.endsAt = performance.now() + this.length;
  }

  /** Whether the turn has used its time, so that {@link next} has to be awaited. */
  get over(): boolean {
    return performance.now() >= this.endsAt;
  }

  /** Resolves at the start of the next turn. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.endsAt = performance.now() + this.length;
  }
}

/**
 * The same items, in turns. The time of the loop body counts too, so a `for await` never blocks the event loop for
 * longer than
 * `maxMs` plus one item.
 */
export async function* takeTurns<T>(
  items: Iterable<T>,
  maxMs = LONGEST_TURN,
): AsyncGenerator<T, void, undefined> {
  const turns = new Turns(maxMs);
  for (const item of items) {
    if (turns.over) await turns.next();
    yield item;
  }
}
