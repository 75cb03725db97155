import type { Clock } from '../../common/clock.js';

/** Milliseconds. */
export const SECOND = 1_000;

/** Admits a number of lines per second. */
export class LineLimit {
  private since = -Infinity;
  private admitted = 0;

  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly max: number,
  ) {}

  /** Takes one of the lines of the running second. @returns whether there was one left */
  take(): boolean {
    const now = this.clock.now();
    if (Math.abs(now - this.since) >= SECOND) {
      this.since = now;
      this.admitted = 0;
    }
    if (this.admitted >= this.max) return false;
    this.admitted += 1;
    return true;
  }

  /** Whether the next line of this second would be refused. */
  get exhausted(): boolean {
    return this.admitted >= this.max;
  }
}
