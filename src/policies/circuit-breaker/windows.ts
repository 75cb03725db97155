import type { BreakerCounts } from '../../telemetry/events.js';

/** The counts of a {@link Window} at one moment. */
export interface WindowTotals {
  requests: number;
  successes: number;
  failures: number;
  ignored: number;
  slow: number;
}

/**
 * The recent calls of a breaker, as running totals, and the current streaks. Every method is amortised O(1). Reading and
 * writing both expire what is too old. A window is small until it is used, and grows with its contents.
 *
 * A call counts as a request when it is admitted, and as one of the other kinds when it has ended.
 */
export abstract class Window implements WindowTotals {
  requests = 0;
  successes = 0;
  failures = 0;
  ignored = 0;
  slow = 0;
  private consecutiveSuccesses = 0;
  private failuresInARow = 0;
  /** Marks below this one were given by earlier windows, which this one replaces. */
  protected firstMark = 0;

  /** Higher than all marks given by it and the windows before it. */
  get nextMark(): number {
    return this.firstMark + 1;
  }

  /**
   * Replaces another window: takes over its streaks, its calls as far as possible, and, by their marks, the calls that
   * were admitted there and end here.
   *
   * @param _running how many these are
   */
  succeed(former: Window, _running: number, _now: number): void {
    this.firstMark = former.nextMark;
    this.consecutiveSuccesses = former.consecutiveSuccesses;
    this.failuresInARow = former.failuresInARow;
  }

  /** @returns a mark to pass to `record` or `ignore` */
  abstract admit(now: number): number;

  /** @returns whether it counts: false when the call has outlasted the window with `countAt: 'start'` */
  abstract record(now: number, mark: number, failed: boolean, slow: boolean): boolean;

  abstract ignore(now: number, mark: number): void;

  /** The totals at `now`; the same object each time, valid until the next call. */
  abstract totals(now: number): Readonly<WindowTotals>;

  clear(_now: number): void {
    this.empty();
    this.consecutiveSuccesses = 0;
    this.failuresInARow = 0;
  }

  /** Whether no call in the window was slow or has failed, as of the last call that was counted. */
  get flawless(): boolean {
    return this.failures === 0 && this.slow === 0;
  }

  /** The current streak, as far as the window reaches back. */
  consecutiveFailures({ failures }: Readonly<WindowTotals>): number {
    return Math.min(this.failuresInARow, failures);
  }

  counts(now: number): BreakerCounts {
    const totals = this.totals(now);
    const { requests, successes, failures, ignored, slow } = totals;
    return {
      requests,
      successes,
      failures,
      ignored,
      slow,
      consecutiveSuccesses: Math.min(this.consecutiveSuccesses, successes),
      consecutiveFailures: this.consecutiveFailures(totals),
    };
  }

  protected add(failed: boolean, slow: boolean): void {
    if (slow) this.slow += 1;
    if (failed) {
      this.failures += 1;
      this.failuresInARow += 1;
      this.consecutiveSuccesses = 0;
    } else {
      this.successes += 1;
      this.consecutiveSuccesses += 1;
      this.failuresInARow = 0;
    }
  }

  /** Drops all calls, but not the streaks. */
  protected empty(): void {
    this.requests = 0;
    this.successes = 0;
    this.failures = 0;
    this.ignored = 0;
    this.slow = 0;
  }
}

/** Counts all calls since it was cleared. */
export class CumulativeWindow extends Window {
  admit(): number {
    this.requests += 1;
    return 0;
  }

  record(_now: number, _mark: number, failed: boolean, slow: boolean): boolean {
    this.add(failed, slow);
    return true;
  }

  ignore(): void {
    this.ignored += 1;
  }

  totals(): Readonly<WindowTotals> {
    return this;
  }

  override succeed(former: Window, running: number, now: number): void {
    super.succeed(former, running, now);
    this.requests = running;
  }
}

const FAILED = 1;
const SLOW = 2;

/** The flags of windows that have not been used. */
const NONE = new Uint8Array(0);

/** Initial capacity of a count window, calls. */
const FIRST_ROOM = 16;

/**
 * The last `size` calls that ended as success or failure: a ring of flags, one byte per call, with running totals
 * (like resilience4j's `FixedSizeSlidingWindowMetrics`, but without objects).
 */
export class CountWindow extends Window {
  private flags = NONE;
  private length = 0;
  private next = 0;
  private running = 0;

  constructor(readonly size: number) {
    super();
  }

  admit(): number {
    this.running += 1;
    return 0;
  }

  record(_now: number, _mark: number, failed: boolean, slow: boolean): boolean {
    const { next } = this;
    this.running -= 1;
    if (this.length === this.size) {
      const evicted = this.flags[next]!;
      if (evicted & FAILED) this.failures -= 1;
      else this.successes -= 1;
      if (evicted & SLOW) this.slow -= 1;
    } else {
      if (this.length === this.flags.length) this.grow();
      this.length += 1;
    }
    this.flags[next] = (failed ? FAILED : 0) | (slow ? SLOW : 0);
    this.add(failed, slow);
    this.next = next + 1 === this.size ? 0 : next + 1;
    return true;
  }

  ignore(): void {
    this.running -= 1;
    this.ignored += 1;
  }

  totals(): Readonly<WindowTotals> {
    this.requests = this.length + this.running;
    return this;
  }

  /** Takes over the newest calls of another window of this kind. */
  override succeed(former: Window, running: number, now: number): void {
    if (former instanceof CountWindow) {
      for (let age = Math.min(this.size, former.length); age > 0; age--) {
        const flag = former.flags[(former.next - age + former.size) % former.size]!;
        this.record(now, 0, (flag & FAILED) > 0, (flag & SLOW) > 0);
      }
      this.ignored = former.ignored;
    }
    this.running = running;
    super.succeed(former, running, now);
  }

  protected override empty(): void {
    super.empty();
    this.length = 0;
    this.next = 0;
    this.running = 0;
  }

  private grow(): void {
    const flags = new Uint8Array(Math.min(this.size, Math.max(FIRST_ROOM, this.length * 2)));
    flags.set(this.flags);
    this.flags = flags;
  }
}
