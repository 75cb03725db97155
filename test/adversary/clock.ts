import type { Clock, Timer } from '../../src/index.js';

interface Scheduled extends Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

const { setImmediate } = globalThis;

/** Lets promises settle. */
export async function breathe(turns = 2): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** A clock that a test moves, and which can also be late, as with a blocked event loop. */
export class JumpingClock implements Clock {
  private time = 0;
  private made = 0;
  /** Whether timers have ever been late. */
  blocked = false;
  private readonly timers = new Set<Scheduled>();

  now(): number {
    return this.time;
  }

  wall(): number {
    return Date.UTC(2026, 0, 1) + this.time;
  }

  get pending(): number {
    return this.timers.size;
  }

  setTimer(callback: () => void, ms: number): Timer {
    if (!(ms >= 0)) throw new RangeError(`a timer of ${ms} ms`);
    const scheduled: Scheduled = {
      at: this.time + ms,
      order: this.made++,
      callback,
      cancel: () => void this.timers.delete(scheduled),
      ref: () => {},
      unref: () => {},
    };
    this.timers.add(scheduled);
    return scheduled;
  }

  /** Advances; timers fire at their time, and promises settle between those of different times. */
  async advance(ms: number): Promise<void> {
    const until = this.time + ms;
    await breathe();
    for (;;) {
      const at = this.nextAt();
      if (at > until) break;
      this.time = Math.max(this.time, at);
      this.fire(this.time);
      await breathe();
    }
    this.time = until;
    await breathe(1);
  }

  /** The event loop was blocked: the time has passed, and everything is due at once. */
  async block(ms: number): Promise<void> {
    this.time += ms;
    this.blocked = true;
    for (let turn = 0; turn < 50 && this.nextAt() <= this.time; turn++) {
      this.fire(this.time);
      await breathe();
    }
  }

  private nextAt(): number {
    let next = Infinity;
    for (const { at } of this.timers) if (at < next) next = at;
    return next;
  }

  private fire(until: number): void {
    const due = [...this.timers].filter(({ at }) => at <= until);
    due.sort((a, b) => a.at - b.at || a.order - b.order);
    for (const timer of due) if (this.timers.delete(timer)) timer.callback();
  }
}
