import type { BreakerCounts } from '../../telemetry/events.js';
import type { Window, WindowTotals } from './windows.js';

/** The counts of a breaker in its current generation: the window, and the current streaks. */
export class Tally {
  private consecutiveSuccesses = 0;
  private failuresInARow = 0;

  constructor(private window: Window) {}

  /** Counts in another window from now on. @param running how many calls were admitted before and have not ended */
  countIn(window: Window, running: number, now: number): void {
    window.succeed(this.window, running, now);
    this.window = window;
  }

  /** @returns a mark to give back with the outcome */
  admit(now: number): number {
    return this.window.admit(now);
  }

  /** @returns whether it counts: false when the call has outlasted the window with `countAt: 'start'` */
  record(now: number, mark: number, failed: boolean, slow: boolean): boolean {
    if (!this.window.record(now, mark, failed, slow)) return false;
    if (failed) {
      this.failuresInARow += 1;
      this.consecutiveSuccesses = 0;
    } else {
      this.consecutiveSuccesses += 1;
      this.failuresInARow = 0;
    }
    return true;
  }

  ignore(now: number, mark: number): void {
    this.window.ignore(now, mark);
  }

  clear(now: number): void {
    this.window.clear(now);
    this.consecutiveSuccesses = 0;
    this.failuresInARow = 0;
  }

  totals(now: number): Readonly<WindowTotals> {
    return this.window.totals(now);
  }

  /** Whether no call in the window was slow or has failed, as of the last call that was counted. */
  get flawless(): boolean {
    const { window } = this;
    return window.failures === 0 && window.slow === 0;
  }

  /** The current streak, as far as the window reaches back. */
  consecutiveFailures({ failures }: Readonly<WindowTotals>): number {
    return Math.min(this.failuresInARow, failures);
  }

  counts(now: number): BreakerCounts {
    const totals = this.window.totals(now);
    const { requests, successes, failures, ignored, slow } = totals;
    return {
      requests,
      successes,
      failures,
      ignored,
      slow,
      consecutiveSuccesses: Math.min(this.consecutiveSuccesses, totals.successes),
      consecutiveFailures: this.consecutiveFailures(totals),
    };
  }
}
