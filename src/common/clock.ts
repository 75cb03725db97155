/** A timer that has been started by a {@link Clock}. */
export interface Timer {
  /** Prevents the timer from firing; no effect once it has fired. */
  cancel(): void;
  /** Lets the process wait for this timer (the initial state). */
  ref(): void;
  /** Lets the process exit without waiting for this timer. */
  unref(): void;
}

/** Where all times and timers come from; `ManualClock` of `nest-resilience/testing` replaces it in tests. */
export interface Clock {
  /** Milliseconds on a monotonic clock; only differences mean anything. */
  now(): number;
  /** Milliseconds since the epoch, for what people and other machines see. */
  wall(): number;
  /** Calls `callback` once, `ms` milliseconds from now. */
  setTimer(callback: () => void, ms: number): Timer;
}

/** Node fires at once a timer that is longer than this. */
const LONGEST_TIMER = 2_147_483_647;

class SystemTimer implements Timer {
  private handle: NodeJS.Timeout;

  constructor(
    private readonly callback: () => void,
    private remaining: number,
  ) {
    this.handle = this.arm();
  }

  cancel(): void {
    clearTimeout(this.handle);
  }

  ref(): void {
    this.handle.ref();
  }

  unref(): void {
    this.handle.unref();
  }

  private arm(): NodeJS.Timeout {
    if (this.remaining <= LONGEST_TIMER) return setTimeout(this.callback, this.remaining);
    return setTimeout(() => {
      const kept = this.handle.hasRef();
      this.remaining -= LONGEST_TIMER;
      this.handle = this.arm();
      if (!kept) this.handle.unref();
    }, LONGEST_TIMER);
  }
}

/** The global `performance` is a getter, which takes as long as the reading. */
const { performance } = globalThis;

/** Jest's and Sinon's fake timers mark what they put in place; times have to come from where timers do. */
function isFaked(timers: unknown): boolean {
  return (timers as { clock?: unknown }).clock !== undefined;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => (isFaked(setTimeout) ? globalThis.performance : performance).now(),
  wall: () => Date.now(),
  setTimer: (callback, ms) => new SystemTimer(callback, ms),
};
