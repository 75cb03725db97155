/** What a {@link Window} holds at one moment. */
export interface WindowTotals {
  requests: number;
  successes: number;
  failures: number;
  ignored: number;
  slow: number;
}

/**
 * The recent calls of a breaker, as counts. Every method is O(1), amortised over calls, and reads as well as
 * writes expire what is too old.
 *
 * A call is counted as a request when it is admitted and as one of the others when it has ended.
 */
export interface Window {
  /** @returns a mark to give back to `record` */
  admit(now: number): number;
  /** @returns whether it counts: false when the call has outlasted the window that it began in */
  record(now: number, mark: number, failed: boolean, slow: boolean): boolean;
  ignore(now: number, mark: number): void;
  /** The totals at `now`; the same object each time, valid until the next call. */
  totals(now: number): Readonly<WindowTotals>;
  clear(now: number): void;
}

const zero = (): WindowTotals => ({ requests: 0, successes: 0, failures: 0, ignored: 0, slow: 0 });

/** All calls since it was cleared. */
export class CumulativeWindow implements Window {
  private sum = zero();

  admit(): number {
    this.sum.requests += 1;
    return 0;
  }

  record(_now: number, _mark: number, failed: boolean, slow: boolean): boolean {
    if (failed) this.sum.failures += 1;
    else this.sum.successes += 1;
    if (slow) this.sum.slow += 1;
    return true;
  }

  ignore(): void {
    this.sum.ignored += 1;
  }

  totals(): Readonly<WindowTotals> {
    return this.sum;
  }

  clear(): void {
    this.sum = zero();
  }
}

const FAILED = 1;
const SLOW = 2;

/**
 * The last `size` calls that ended as success or failure: a ring of flags, one byte a call, with running totals
 * (resilience4j's `FixedSizeSlidingWindowMetrics`, without its objects).
 */
export class CountWindow implements Window {
  private readonly flags: Uint8Array;
  private readonly sum = zero();
  private length = 0;
  private next = 0;
  private running = 0;

  constructor(readonly size: number) {
    this.flags = new Uint8Array(size);
  }

  admit(): number {
    this.running += 1;
    return 0;
  }

  record(_now: number, _mark: number, failed: boolean, slow: boolean): boolean {
    const { sum, flags, next } = this;
    this.running -= 1;
    if (this.length === this.size) {
      const evicted = flags[next]!;
      if (evicted & FAILED) sum.failures -= 1;
      else sum.successes -= 1;
      if (evicted & SLOW) sum.slow -= 1;
    } else {
      this.length += 1;
    }
    flags[next] = (failed ? FAILED : 0) | (slow ? SLOW : 0);
    if (failed) sum.failures += 1;
    else sum.successes += 1;
    if (slow) sum.slow += 1;
    this.next = next + 1 === this.size ? 0 : next + 1;
    return true;
  }

  ignore(): void {
    this.running -= 1;
    this.sum.ignored += 1;
  }

  totals(): Readonly<WindowTotals> {
    this.sum.requests = this.length + this.running;
    return this.sum;
  }

  clear(): void {
    Object.assign(this.sum, zero());
    this.length = 0;
    this.next = 0;
    this.running = 0;
  }
}

const FIELDS = 5;

/**
 * The calls of the last `duration` milliseconds, in buckets of `duration / buckets`, with running totals. A
 * bucket that has become too old is subtracted and reused: a step a bucket that has passed, at most all of them.
 *
 * An ended call is counted in the bucket of its end, so that a call slower than the window counts too; with
 * `countAt: 'start'` in that of its admission, and not at all once that is gone (sony/gobreaker's rolling window).
 */
export class TimeWindow implements Window {
  private readonly width: number;
  private readonly cells: Uint32Array;
  private readonly sum = zero();
  private origin: number;
  /** Number of the newest bucket, counted from `origin`. */
  private newest = 0;
  /** Where its cells begin. */
  private newestCell = 0;
  private newestEndsAt: number;

  constructor(
    duration: number,
    private readonly buckets: number,
    private readonly countAt: 'start' | 'end',
    now: number,
  ) {
    this.width = duration / buckets;
    this.cells = new Uint32Array(buckets * FIELDS);
    this.origin = now;
    this.newestEndsAt = now + this.width;
  }

  admit(now: number): number {
    this.expire(now);
    this.cells[this.newestCell]! += 1;
    this.sum.requests += 1;
    return this.newest;
  }

  record(now: number, mark: number, failed: boolean, slow: boolean): boolean {
    const cell = this.cellOf(now, mark);
    if (cell === undefined) return false;
    const { cells, sum } = this;
    if (failed) {
      cells[cell + 2]! += 1;
      sum.failures += 1;
    } else {
      cells[cell + 1]! += 1;
      sum.successes += 1;
    }
    if (slow) {
      cells[cell + 4]! += 1;
      sum.slow += 1;
    }
    return true;
  }

  ignore(now: number, mark: number): void {
    const cell = this.cellOf(now, mark);
    if (cell === undefined) return;
    this.cells[cell + 3]! += 1;
    this.sum.ignored += 1;
  }

  totals(now: number): Readonly<WindowTotals> {
    this.expire(now);
    return this.sum;
  }

  clear(now: number): void {
    this.cells.fill(0);
    Object.assign(this.sum, zero());
    this.origin = now;
    this.newest = 0;
    this.newestCell = 0;
    this.newestEndsAt = now + this.width;
  }

  private cell(bucket: number): number {
    return (bucket % this.buckets) * FIELDS;
  }

  /** Where a call that was admitted at bucket `mark` and ends now is counted; nowhere when that is too old. */
  private cellOf(now: number, mark: number): number | undefined {
    this.expire(now);
    if (mark === this.newest) return this.newestCell;
    const begun = this.newest - mark < this.buckets ? this.cell(mark) : undefined;
    return this.countAt === 'end' ? this.moveTo(this.newestCell, begun) : begun;
  }

  /** A call that has ended expires as a whole: its request goes where its outcome is counted. */
  private moveTo(end: number, begun: number | undefined): number {
    if (begun === undefined) this.sum.requests += 1;
    else this.cells[begun]! -= 1;
    this.cells[end]! += 1;
    return end;
  }

  private expire(now: number): void {
    if (now >= this.newestEndsAt) this.roll(now);
  }

  private roll(now: number): void {
    const current = Math.floor((now - this.origin) / this.width);
    if (current <= this.newest) return;
    if (current - this.newest >= this.buckets) {
      this.cells.fill(0);
      Object.assign(this.sum, zero());
    } else {
      for (let bucket = this.newest + 1; bucket <= current; bucket++) this.drop(this.cell(bucket));
    }
    this.newest = current;
    this.newestCell = this.cell(current);
    this.newestEndsAt = this.origin + (current + 1) * this.width;
  }

  private drop(cell: number): void {
    const { cells, sum } = this;
    sum.requests -= cells[cell]!;
    sum.successes -= cells[cell + 1]!;
    sum.failures -= cells[cell + 2]!;
    sum.ignored -= cells[cell + 3]!;
    sum.slow -= cells[cell + 4]!;
    cells.fill(0, cell, cell + FIELDS);
  }
}
