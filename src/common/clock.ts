import { outsideOfCalls } from './async-context.js';
import { type TimeSource, currentSource, isTakenDown, realNow, watch } from './time-source.js';

/** A timer that was started by a {@link Clock}. */
export interface Timer {
  /** Prevents the timer from firing; no effect once it has fired. */
  cancel(): void;
  /** Lets the process wait for this timer (the initial state). */
  ref(): void;
  /** Lets the process exit without waiting for this timer. */
  unref(): void;
}

/** The source of all times and timers; `ManualClock` of `nest-resilience/testing` replaces it in tests. */
export interface Clock {
  /** Milliseconds on a monotonic clock; only differences are meaningful. */
  now(): number;
  /** Milliseconds since the epoch, for people and other machines. */
  wall(): number;
  /** Calls `callback` once, `ms` milliseconds from now. */
  setTimer(callback: () => void, ms: number): Timer;
  /** Whether its timers may be discarded at any time, as fake timers are. Default: false. */
  readonly faked?: boolean;
}

/** Node fires a timer with a longer delay at once. Milliseconds. */
const LONGEST_TIMER = 2_147_483_647;

/** Node's timers fire at most this much too early, milliseconds. */
const EARLIEST = 2;

/**
 * The clock of the machine or, while they are on, of a test framework's fake timers (Jest, Sinon, vitest, node:test). These
 * may be switched on and off at any moment: the time continues from where it was and never goes back or leaps, and pending
 * timers continue with the rest of their delay.
 */
export class SystemClock implements Clock {
  private source = currentSource();
  /** Node's `setTimeout` while it is in force: the cheapest check that nothing has changed. */
  private real: unknown = this.source.real ? this.source.setTimeout : undefined;
  /** Added to the source's time. */
  private offset = 0;
  /** The last time read from a fake clock, which may be set back. */
  private last = -Infinity;
  private watched = false;
  private readonly timers = new Set<SystemTimer>();

  now(): number {
    // As a global variable it is nearly free to read; as a property of `globalThis` it is not.
    return setTimeout === this.real ? realNow() + this.offset : this.fakeNow();
  }

  wall(): number {
    return Date.now();
  }

  setTimer(callback: () => void, ms: number): Timer {
    const now = this.now();
    return new SystemTimer(this, callback, now, ms);
  }

  get faked(): boolean {
    return this.real === undefined;
  }

  /** @internal Registers a timer. @returns the source with which to set it */
  enlist(timer: SystemTimer): TimeSource {
    this.timers.add(timer);
    if (this.faked) this.watch();
    return this.source;
  }

  /** @internal */
  dismiss(timer: SystemTimer): void {
    this.timers.delete(timer);
  }

  /**
   * A timer for `at` has fired, so the time is at least `at`, whatever the source says: some fake timers do not move the
   * clock.
   *
   * @internal
   */
  arrive(at: number): void {
    const missing = at - this.now();
    if (missing > EARLIEST) this.offset += Math.ceil(missing);
  }

  private fakeNow(): number {
    if (!this.source.inForce()) {
      this.change();
      return this.now();
    }
    const now = this.source.read() + this.offset;
    if (now < this.last) this.offset += this.last - now;
    this.last = Math.max(now, this.last);
    return this.last;
  }

  /** Other timers are in force now: continues the time, and sets all pending timers again. */
  private change(): void {
    const now = Math.max(this.source.read() + this.offset, this.last);
    this.source = currentSource();
    this.real = this.source.real ? this.source.setTimeout : undefined;
    // Whole milliseconds: fake clocks have no fractions, and tests rely on the millisecond at which a timer falls due.
    this.offset = Math.ceil(now - this.source.read());
    this.last = now;
    for (const timer of [...this.timers]) timer.setAnew(now);
  }

  /** Fake timers are switched off without notice, and timers set with them never fire; so a real timer checks. */
  private watch(): void {
    if (this.watched) return;
    this.watched = true;
    outsideOfCalls(() => {
      watch(() => {
        if (isTakenDown()) this.timers.clear();
        if (this.timers.size > 0) this.now();
        this.watched = this.faked && this.timers.size > 0;
        return !this.watched;
      });
    });
  }
}

class SystemTimer implements Timer {
  private handle!: NodeJS.Timeout;
  private source: TimeSource | undefined;
  private held = true;
  private readonly at: number;

  constructor(
    private readonly clock: SystemClock,
    private readonly callback: () => void,
    now: number,
    ms: number,
  ) {
    this.at = now + ms;
    this.set(now, ms);
  }

  cancel(): void {
    this.clock.dismiss(this);
    this.clear();
    this.source = undefined;
  }

  ref(): void {
    this.held = true;
    this.handle.ref?.();
  }

  unref(): void {
    this.held = false;
    this.handle.unref?.();
  }

  /** Sets it again, with the timers that are in force now. */
  setAnew(now: number): void {
    this.clear();
    outsideOfCalls(() => this.set(now, this.at - now));
  }

  private set(now: number, left: number): void {
    const source = this.clock.enlist(this);
    this.source = source;
    const { setTimeout } = source;
    const ms = Math.min(left, LONGEST_TIMER);
    this.handle = setTimeout(() => {
      if (this.source === source) this.fire(now + ms);
    }, ms);
    // In environments that imitate a browser, handles are numbers.
    if (!this.held) this.handle.unref?.();
  }

  private fire(due: number): void {
    if (isTakenDown()) return;
    this.clock.dismiss(this);
    this.clock.arrive(due);
    if (due < this.at) this.set(due, this.at - due);
    else this.callback();
  }

  /** Clears it with the source that set it: others do not know it, and Sinon's even warn. */
  private clear(): void {
    this.source?.clear(this.handle);
  }
}

/** The clock of the machine. */
export const systemClock = new SystemClock();
