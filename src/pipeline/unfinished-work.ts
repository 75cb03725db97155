/**
 * The work of one call that may go on without a waiting caller: a stage that holds something for it has to know its
 * end. Results are dropped at once.
 */
export class UnfinishedWork {
  /** Work of the running attempt, if the protected method runs further inside than the pipeline can see. */
  running: PromiseLike<unknown> | undefined = undefined;
  /** Work of the last attempt, if that was abandoned. */
  abandoned: PromiseLike<unknown> | undefined = undefined;
  /** Work of earlier attempts. */
  private earlier: Set<Promise<void>> | undefined = undefined;
  /** The level of the stage that last ran the call again: the earlier work was inside it. */
  private level = -1;

  beginAttempt(): void {
    this.abandoned = undefined;
    this.running = undefined;
  }

  /**
   * Call it when the stage at `level` runs the call again.
   *
   * @param kept whether a stage outside `level` has to know when the last attempt's work ends
   */
  beginAgain(level: number, kept: boolean): void {
    this.level = level;
    const last = this.abandoned ?? this.running;
    if (!kept || last === undefined) return;
    const earlier = (this.earlier ??= new Set());
    const done = endOf(last).then(() => {
      earlier.delete(done);
    });
    earlier.add(done);
  }

  /** Resolves when all work inside `level` has ended; `undefined` if there is none. */
  end(level: number): PromiseLike<unknown> | undefined {
    const last = this.abandoned ?? this.running;
    const { earlier } = this;
    if (level > this.level || earlier === undefined || earlier.size === 0) return last;
    return Promise.allSettled(last === undefined ? earlier : [...earlier, last]);
  }
}

const nothing = (): void => {};

/** Resolves when some work has ended, without its result or error. */
export function endOf(work: PromiseLike<unknown>): Promise<void> {
  return Promise.resolve(work).then(nothing, nothing);
}
