import { RollingWindow } from './rolling-window.js';

/**
 * What happened in the last `window` milliseconds: counts of events, which are numbered from 0, and the most calls
 * that ran at a time.
 */
export class RollingCounts extends RollingWindow {
  private readonly cells: Uint32Array;
  /** Where the newest bucket begins. */
  private first = 0;
  /** The most calls that ran at a time, by bucket, but for the newest. */
  private readonly peaks: Uint32Array;
  private newestPeak = 0;
  private running = 0;

  constructor(
    private readonly events: number,
    now: number,
    window = 10_000,
    buckets = 10,
  ) {
    super(window, buckets, now);
    this.cells = new Uint32Array(buckets * events);
    this.peaks = new Uint32Array(buckets);
  }

  add(event: number, now: number): void {
    this.expire(now);
    this.cells[this.first + event]! += 1;
  }

  sum(event: number, now: number): number {
    this.expire(now);
    const { cells, events } = this;
    let sum = 0;
    for (let cell = event; cell < cells.length; cell += events) sum += cells[cell]!;
    return sum;
  }

  begin(now: number): void {
    this.expire(now);
    this.running += 1;
    if (this.running > this.newestPeak) this.newestPeak = this.running;
  }

  /** A call ends with an event. It ran up to `now`, so it counts in the buckets that have passed meanwhile. */
  end(event: number, now: number): void {
    this.expire(now);
    if (this.running > 0) this.running -= 1;
    this.cells[this.first + event]! += 1;
  }

  get concurrency(): number {
    return this.running;
  }

  /** The most calls that ran at a time. */
  peak(now: number): number {
    this.expire(now);
    return Math.max(this.newestPeak, ...this.peaks);
  }

  protected override renew(bucket: number, before: number): void {
    const { cells, events, peaks } = this;
    this.first = bucket * events;
    cells.fill(0, this.first, this.first + events);
    peaks[before] = this.newestPeak;
    peaks[bucket] = 0;
    this.newestPeak = this.running;
  }
}
