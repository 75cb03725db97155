/** A promise that is settled from outside. */
export interface Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T = void>(): Deferred<T> {
  let settle!: Omit<Deferred<T>, 'promise'>;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}

/** Counts visits; `reached(n)` resolves when there have been `n`, however they came about. */
export class Visits {
  count = 0;
  private readonly waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  /** @returns the number of this visit; the first is 1 */
  visit(): number {
    this.count += 1;
    for (const { count, resolve } of this.waiting) if (this.count >= count) resolve();
    return this.count;
  }

  async reached(count: number): Promise<void> {
    if (this.count >= count) return;
    await new Promise<void>((resolve) => this.waiting.push({ count, resolve }));
  }
}

/** Waits, in real time, for something that another process or the network causes. */
export async function until(condition: () => boolean, ms = 2_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`${condition.toString()} did not become true`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Lets promise callbacks run, and the pending work of the event loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** The outcome of a promise, without throwing. */
export async function outcome<T>(work: Promise<T>): Promise<{ value?: T; error?: unknown }> {
  return work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}
