import type { Clock, Timer } from '../common/clock.js';
import { requireFunction } from '../common/given.js';
import { show } from '../common/printable.js';
import { TimerHeap } from './timer-heap.js';

/** Captured at load: test frameworks replace the global one. */
const { setImmediate } = globalThis;

/** Lets promise callbacks run, with everything they start that needs no time. */
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

  /**
   * @param startsAt milliseconds since the epoch. Default: 1 January 2026, UTC
   * @throws {TypeError} when it is not a number
   */
  constructor(private readonly startsAt = Date.UTC(2026, 0, 1)) {
    if (Number.isFinite(startsAt)) return;
    throw new TypeError(
      `new ManualClock(${show(startsAt)}): use milliseconds since the epoch, such as Date.now()`,
    );
  }

  /** Milliseconds for which it has been moved so far. */
  now(): number {
    return this.time;
  }

  /** Milliseconds since the epoch. */
  wall(): number {
    return this.startsAt + this.time;
  }

  /** Timers that have been set and have neither fired nor been cancelled. */
  get pending(): number {
    return this.timers.size;
  }

  /**
   * Calls `callback` when the clock has been moved `ms` milliseconds further; 0 when `ms` is negative or NaN.
   *
   * @throws {TypeError} when `callback` is not a function
   */
  setTimer(callback: () => void, ms: number): Timer {
    requireFunction('setTimer()', 'the callback', callback);
    const { timers } = this;
    const scheduled = timers.add(this.time + (ms > 0 ? ms : 0), callback);
    return { cancel: () => timers.remove(scheduled), ref: () => {}, unref: () => {} };
  }

  /**
   * Moves the clock forward by `ms` milliseconds. Timers that fall due run in order, each at its time, and promises
   * settle before the next timer runs.
   *
   * @throws {TypeError} when `ms` is not a number from 0
   */
  async advance(ms: number): Promise<void> {
    if (typeof ms !== 'number' || !(ms >= 0)) {
      throw new TypeError(`advance(${show(ms)}): use milliseconds, a number from 0`);
    }
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
