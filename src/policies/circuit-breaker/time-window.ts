import { Window, type WindowTotals } from './windows.js';

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
 * has become too old is subtracted: one step per passed bucket, at most as many as there are buckets.
 *
 * An ended call is counted in the bucket of its end, so that a call slower than the window counts too. With
 * `countAt: 'start'` it is counted in the bucket of its admission, and not at all once that bucket has been dropped
 * (sony/gobreaker's rolling window).
 *
 * A call is added to the totals only: the part of them that exceeds the past buckets belongs to the newest one. When
 * that one has passed, it gets a cell, by its number modulo the number of cells. There are only as many cells as are
 * needed to keep the non-empty buckets apart: none at first, and at most as many as there are buckets.
 */
export class TimeWindow extends Window {
  private readonly width: number;
  /** The past buckets. */
  private cells = NONE;
  /** Their totals, by field. */
  private past = NONE;
  private origin: number;
  /** Number of the newest bucket; the one that begins at `origin` has the number `firstMark`. */
  private newest = 0;
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
    this.requests += 1;
    return this.newest;
  }

  record(now: number, mark: number, failed: boolean, slow: boolean): boolean {
    this.expire(now);
    if (mark !== this.newest) {
      if (!this.end(mark, failed ? FAILURES : SUCCESSES)) return false;
      if (slow && this.countAt === 'start') this.count(this.find(mark), SLOW, 1);
    }
    this.add(failed, slow);
    return true;
  }

  ignore(now: number, mark: number): void {
    this.expire(now);
    if (mark === this.newest || this.end(mark, IGNORED)) this.ignored += 1;
  }

  totals(now: number): Readonly<WindowTotals> {
    this.expire(now);
    return this;
  }

  /** Starts empty: the ends of earlier calls are not known exactly enough. */
  override succeed(former: Window, running: number, now: number): void {
    super.succeed(former, running, now);
    this.restart(now);
  }

  override get nextMark(): number {
    return this.newest + 1;
  }

  override clear(now: number): void {
    super.clear(now);
    this.restart(now);
  }

  private restart(now: number): void {
    this.origin = now;
    this.newest = this.firstMark;
    this.newestEndsAt = now + this.width;
  }

  protected override empty(): void {
    super.empty();
    this.cells = NONE;
    this.past = NONE;
  }

  /** A call of a past bucket ends. @returns whether it counts: false when its bucket has been dropped and counts alone */
  private end(mark: number, field: number): boolean {
    const begun = this.find(mark);
    if (this.countAt === 'start') {
      if (begun >= 0) this.count(begun, field, 1);
      return begun >= 0;
    }
    // A call that has ended must expire as a whole, so its request moves to the bucket of its outcome.
    if (begun < 0) this.requests += 1;
    else this.count(begun, REQUESTS, -1);
    return true;
  }

  private count(cell: number, field: number, calls: number): void {
    this.cells[cell + field]! += calls;
    this.past[field]! += calls;
  }

  /** The cell of a past bucket; -1 when it has none. */
  private find(bucket: number): number {
    const { cells } = this;
    if (cells.length === 0) return -1;
    const cell = (bucket % (cells.length / FIELDS)) * FIELDS;
    return cells[cell + BUCKET] === bucket ? cell : -1;
  }

  /** Takes a cell for a bucket. */
  private occupy(bucket: number): number {
    for (;;) {
      const { cells } = this;
      const room = cells.length / FIELDS;
      const cell = (bucket % room) * FIELDS;
      if (room > 0 && cells[cell + BUCKET] === FREE) {
        cells[cell + BUCKET] = bucket;
        return cell;
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
      this.empty();
    } else {
      const oldest = this.newest - this.buckets + 1;
      for (let bucket = current - this.buckets; bucket >= oldest; bucket--) this.drop(bucket);
      this.keepNewest();
    }
    this.newest = current;
    this.newestEndsAt = this.origin + (passed + 1) * this.width;
  }

  private keepNewest(): void {
    const { past, newest, requests, successes, failures, ignored, slow } = this;
    if (requests === (past[REQUESTS] ?? 0)) return; // empty
    const totals = [newest, requests, successes, failures, ignored, slow];
    const cell = this.occupy(newest);
    for (let field = REQUESTS; field < FIELDS; field++) {
      this.cells[cell + field] = totals[field]! - (past[field] ?? 0);
    }
    this.past = totals;
  }

  private drop(bucket: number): void {
    const cell = bucket < 0 ? -1 : this.find(bucket);
    if (cell < 0) return;
    const { cells, past } = this;
    for (let field = REQUESTS; field < FIELDS; field++) past[field]! -= cells[cell + field]!;
    this.requests -= cells[cell + REQUESTS]!;
    this.successes -= cells[cell + SUCCESSES]!;
    this.failures -= cells[cell + FAILURES]!;
    this.ignored -= cells[cell + IGNORED]!;
    this.slow -= cells[cell + SLOW]!;
    cells.fill(0, cell, cell + FIELDS);
    cells[cell + BUCKET] = FREE;
  }
}
