/**
 * The work of one call that may go on although nobody waits for its results, which are let go of at once: what a stage
 * holds for it is free only at its end.
 */
export class UnfinishedWork {
  /** Of the running attempt, when the protected method runs further inside than the pipeline can see. */
  running: PromiseLike<unknown> | undefined = undefined;
  /** Of the last attempt, which has been given up. */
  abandoned: PromiseLike<unknown> | undefined = undefined;
  /** Of the attempts before that one. */
  private readonly earlier = new Set<Promise<void>>();
  /** The stage that has had the call run again last: the earlier work is that of what is inside of it. */
  private level = -1;

  beginAttempt(): void {
    this.abandoned = undefined;
    this.running = undefined;
  }

  /**
   * The stage at `level` has the call run again.
   *
   * @param kept whether a stage outside of that one has to know when the last attempt's work ends
   */
  beginAgain(level: number, kept: boolean): void {
    this.level = level;
    const last = this.abandoned ?? this.running;
    if (!kept || last === undefined) return;
    const done = endOf(last).then(() => {
      this.earlier.delete(done);
    });
    this.earlier.add(done);
  }

  /** Resolves when all of it that is inside of `level` has ended; `undefined` when there is none. */
  end(level: number): PromiseLike<unknown> | undefined {
    const last = this.abandoned ?? this.running;
    if (level > this.level || this.earlier.size === 0) return last;
    return Promise.allSettled(last === undefined ? this.earlier : [...this.earlier, last]);
  }
}

const nothing = (): void => {};

/** The end of some work without what came of it, well or not. */
export function endOf(work: PromiseLike<unknown>): Promise<void> {
  return Promise.resolve(work).then(nothing, nothing);
}
