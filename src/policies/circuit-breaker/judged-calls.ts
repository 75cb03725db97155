/** How many calls a breaker has judged since the start, whatever its state. */
export class JudgedCalls {
  /** Calls that have succeeded or failed. */
  judged = 0;
  /** The slow ones among them. */
  slow = 0;

  count(slow: boolean): void {
    this.judged += 1;
    if (slow) this.slow += 1;
  }
}
