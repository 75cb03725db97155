import type { Clock, Timer } from '../common/clock.js';
import { TimerHeap } from './timer-heap.js';

/** Taken at load: test frameworks replace the global one. */
const { setImmediate } = globalThis;

/** Lets promise callbacks run, and what they start in turn, as far as it needs no time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/**
 * A clock that stands still until a test moves it.
 *
 * @example
 * const clock = new ManualClock();
 * // ResilienceModule.forRoot({ clock })
 * const books = service.getBooks();
 * await clock.advance(2_000);
 */
export class ManualClock implements Clock {
  private time = 0;
  private readonly timers = new TimerHeap();

  /** @param startsAt milliseconds since the epoch */
  constructor(private readonly startsAt = Date.UTC(2026, 0, 1)) {}

  now(): number {
    return this.time;
  }

  wall(): number {
    return this.startsAt + this.time;
  }

  /** Timers that have been set and have neither fired nor been cancelled. */
  get pending(): number {
    return this.timers.size;
  }

  setTimer(callback: () => void, ms: number): Timer {
    const { timers } = this;
    const scheduled = timers.add(this.time + (ms > 0 ? ms : 0), callback);
    return { cancel: () => timers.remove(scheduled), ref: () => {}, unref: () => {} };
  }

  /**
   * Moves the time forward by `ms` milliseconds. Timers that fall due run in their order, each at its time, and
   * promises settle before the next one does.
   */
  async advance(ms: number): Promise<void> {
    const until = this.time + ms;
    await settle();
    for (;;) {
      const next = this.timers.takeDue(until);
      if (next === undefined) break;
      this.time = Math.max(this.time, next.at);
      next.callback();
      await settle();
    }
    this.time = until;
    await settle();
  }
}
