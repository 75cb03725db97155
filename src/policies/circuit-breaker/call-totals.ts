/** The calls of a breaker since the start, whatever its state. */
export class CallTotals {
  /** Calls that have succeeded or failed. */
  judged = 0;
  /** The slow ones among them. */
  slow = 0;
  /** Calls that were not admitted. */
  rejected = 0;
  /** Calls whose outcome came too late to decide anything. */
  stale = 0;

  /** Counts a call that has succeeded or failed. @returns `slow` */
  judge(slow: boolean): boolean {
    this.judged += 1;
    if (slow) this.slow += 1;
    return slow;
  }
}
