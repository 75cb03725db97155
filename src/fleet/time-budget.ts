import { setImmediate } from 'node:timers'; // test frameworks replace the global one
import { outsideOfCalls } from '../common/async-context.js';
import type { Clock, Timer } from '../common/clock.js';
import { isLate } from '../common/late.js';

/**
 * The time for which a call waits for the store. While the event loop stands still no answer can be read, so that time does
 * not count, up to the budget once more; and answers that have arrived by the end get a turn to be read.
 */
export class TimeBudget {
  private timer!: Timer;
  private ended = false;

  /** @param ms milliseconds; @param onSpent called once, unless the wait has ended before */
  constructor(
    private readonly clock: Clock,
    private readonly ms: number,
    private readonly onSpent: () => void,
  ) {
    const due = clock.now() + ms;
    this.arm(ms, () => this.prolong(clock.now(), due));
  }

  /** The wait is over. */
  end(): void {
    this.ended = true;
    this.timer.cancel();
  }

  private prolong(now: number, due: number): void {
    if (this.clock.faked) return this.spend();
    if (!isLate(due, now)) return this.readArrived();
    this.arm(Math.min(now - due, this.ms), () => this.readArrived());
  }

  private readArrived(): void {
    outsideOfCalls(() => setImmediate(() => this.spend()));
  }

  private spend(): void {
    if (!this.ended) this.onSpent();
  }

  private arm(ms: number, then: () => void): void {
    this.timer = outsideOfCalls(() => this.clock.setTimer(then, ms));
    this.timer.unref();
  }
}
