/** Taken at load: test frameworks replace the global ones. */
const { performance, setImmediate } = globalThis;

/** How long other work waits at most, milliseconds. */
const LONGEST_TURN = 10;

/** Long work in turns, between which the event loop does everything else that there is to do. */
export class Turns {
  private endsAt: number;
  /** A third of what may be: what is begun is finished, and garbage wants to be collected. */
  private readonly length: number;

  /** @param maxMs how long a turn may take, milliseconds */
  constructor(maxMs = LONGEST_TURN) {
    this.length = maxMs / 3;
    this.endsAt = performance.now() + this.length;
  }

  /** Whether the turn has taken so long that the next one has to be waited for. */
  get over(): boolean {
    return performance.now() >= this.endsAt;
  }

  /** Resolves when it is our turn again. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.endsAt = performance.now() + this.length;
  }
}

/**
 * The same items, in turns: what is done with them counts, so `for await` never holds up the event loop for longer than
 * `maxMs` and a single item take.
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
