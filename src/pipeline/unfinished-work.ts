/** Work that goes on although nobody waits for its results, which are let go of at once. */
export class UnfinishedWork {
  /** The stage that has had the call run again last: it is the work of what is inside of that. */
  level = -1;

  private readonly running = new Set<Promise<void>>();

  add(work: PromiseLike<unknown>): void {
    const done = endOf(work).then(() => {
      this.running.delete(done);
    });
    this.running.add(done);
  }

  /** Resolves when all of it has ended, `last` too; `undefined` when there is none. */
  end(last: PromiseLike<unknown> | undefined): PromiseLike<unknown> | undefined {
    if (this.running.size === 0) return last;
    return Promise.allSettled(last === undefined ? this.running : [...this.running, last]);
  }
}

const nothing = (): void => {};

/** The end of some work without what came of it, well or not. */
export function endOf(work: PromiseLike<unknown>): Promise<void> {
  return Promise.resolve(work).then(nothing, nothing);
}
