import { Totals, type Window, type WindowTotals } from './windows.js';

/** Offsets of the fields in a cell. */
const BUCKET = 0;
const REQUESTS = 1;
const SUCCESSES = 2;
const FAILURES = 3;
const IGNORED = 4;
const SLOW = 5;
const FIELDS = 6;

/** Bucket number of a free cell. */
const FREE = -1;

/** The cells of windows that have not been used. */
const NONE: number[] = [];

/**
 * The calls of the last `duration` milliseconds, in buckets of `duration / buckets`, with running totals. A bucket that
 * has become too old is subtracted and reused: one step per passed bucket, at most as many as there are buckets.
 *
 * An ended call is counted in the bucket of its end, so that a call slower than the window counts too. With
 * `countAt: 'start'` it is counted in the bucket of its admission, and not at all once that bucket has been dropped
 * (sony/gobreaker's rolling window).
 *
 * Buckets are stored in cells, by their number modulo the number of cells. There are only as many cells as are needed to
 * keep the non-empty buckets apart: none at first, and at most as many as there are buckets.
 */
export class TimeWindow extends Totals implements Window {
  private readonly width: number;
  private cells = NONE;
  private origin: number;
  /** Number of the newest bucket; the one that begins at `origin` has the number `firstMark`. */
  private newest = 0;
  /** Where the cell of the newest bucket begins; -1 when it has none yet. */
  private newestCell = -1;
  private newestEndsAt: number;

  constructor(
    duration: number,
    private readonly buckets: number,
    private readonly countAt: 'start' | 'end',
    now: number,
  ) {
    super();
    this.width = duration / buckets;
    this.origin = now;
    this.newestEndsAt = now + this.width;
  }

  admit(now: number): number {
    this.expire(now);
    const cell = this.newestCell < 0 ? this.occupy() : this.newestCell;
    this.cells[cell + REQUESTS]! += 1;
    this.requests += 1;
    return this.newest;
  }

  record(now: number, mark: number, failed: boolean, slow: boolean): boolean {
    const cell = this.cellOf(now, mark);
    if (cell < 0) return false;
    const { cells } = this;
    cells[cell + (failed ? FAILURES : SUCCESSES)]! += 1;
    if (slow) cells[cell + SLOW]! += 1;
    this.add(failed, slow);
    return true;
  }

  ignore(now: number, mark: number): void {
    const cell = this.cellOf(now, mark);
    if (cell < 0) return;
    this.cells[cell + IGNORED]! += 1;
    this.ignored += 1;
  }

  totals(now: number): Readonly<WindowTotals> {
    this.expire(now);
    return this;
  }

  /** Starts empty: the ends of earlier calls are not known exactly enough. */
  succeed({ nextMark }: Window, _running: number, now: number): void {
    this.firstMark = nextMark;
    this.clear(now);
  }

  override get nextMark(): number {
    return this.newest + 1;
  }

  clear(now: number): void {
    this.cells = NONE;
    this.empty();
    this.origin = now;
    this.newest = this.firstMark;
    this.newestCell = -1;
    this.newestEndsAt = now + this.width;
  }

  /** The cell for a call that was admitted in bucket `mark` and ends now; -1 when its bucket has been dropped. */
  private cellOf(now: number, mark: number): number {
    this.expire(now);
    if (mark === this.newest) return this.newestCell;
    const begun = this.find(mark);
    if (this.countAt === 'start') return begun;
    // A call that has ended must expire as a whole, so its request moves to the bucket of its outcome.
    if (begun < 0) this.requests += 1;
    else this.cells[begun + REQUESTS]! -= 1;
    const end = this.newestCell < 0 ? this.occupy() : this.newestCell; // may move the other cells
    this.cells[end + REQUESTS]! += 1;
    return end;
  }

  /** The cell of a bucket; -1 when it has none. */
  private find(bucket: number): number {
    const { cells } = this;
    if (cells.length === 0) return -1;
    const cell = (bucket % (cells.length / FIELDS)) * FIELDS;
    return cells[cell + BUCKET] === bucket ? cell : -1;
  }

  /** Takes a cell for the newest bucket. */
  private occupy(): number {
    for (;;) {
      const { cells, newest } = this;
      const room = cells.length / FIELDS;
      const cell = (newest % room) * FIELDS;
      if (room > 0 && cells[cell + BUCKET] === FREE) {
        cells[cell + BUCKET] = newest;
        return (this.newestCell = cell);
      }
      this.grow(Math.min(this.buckets, Math.max(1, room * 2)));
    }
  }

  /** Doubles the number of cells, up to the number of buckets. Buckets in different cells stay in different cells. */
  private grow(room: number): void {
    const cells = new Array<number>(room * FIELDS).fill(0);
    for (let cell = 0; cell < cells.length; cell += FIELDS) cells[cell] = FREE;
    const old = this.cells;
    for (let from = 0; from < old.length; from += FIELDS) {
      if (old[from] === FREE) continue;
      const to = (old[from]! % room) * FIELDS;
      for (let field = 0; field < FIELDS; field++) cells[to + field] = old[from + field]!;
    }
    this.cells = cells;
  }

  private expire(now: number): void {
    if (now >= this.newestEndsAt) this.roll(now);
  }

  private roll(now: number): void {
    const passed = Math.floor((now - this.origin) / this.width);
    const current = this.firstMark + passed;
    if (current <= this.newest) return;
    if (current - this.newest >= this.buckets) {
      this.cells = NONE;
      this.empty();
    } else {
      const oldest = this.newest - this.buckets + 1;
      for (let bucket = current - this.buckets; bucket >= oldest; bucket--) this.drop(bucket);
    }
    this.newest = current;
    this.newestCell = -1;
    this.newestEndsAt = this.origin + (passed + 1) * this.width;
  }

  private drop(bucket: number): void {
    const cell = bucket < 0 ? -1 : this.find(bucket);
    if (cell < 0) return;
    const { cells } = this;
    this.requests -= cells[cell + REQUESTS]!;
    this.successes -= cells[cell + SUCCESSES]!;
    this.failures -= cells[cell + FAILURES]!;
    this.ignored -= cells[cell + IGNORED]!;
    this.slow -= cells[cell + SLOW]!;
    cells.fill(0, cell, cell + FIELDS);
    cells[cell + BUCKET] = FREE;
  }
}
