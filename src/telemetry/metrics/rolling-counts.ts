import { RollingWindow } from './rolling-window.js';

/**
 * What happened in the last `window` milliseconds: counts of events, which are numbered from 0, and the most calls
 * that ran at a time.
 */
export class RollingCounts extends RollingWindow {
  private readonly cells: Uint32Array;
  private readonly sums: Uint32Array;
  /** The most calls that ran at a time, by bucket. */
  private readonly peaks: Uint32Array;
  private running = 0;

  constructor(
    private readonly events: number,
    now: number,
    window = 10_000,
    buckets = 10,
  ) {
    super(window, buckets, now);
    this.cells = new Uint32Array(buckets * events);
    this.sums = new Uint32Array(events);
    this.peaks = new Uint32Array(buckets);
  }

  add(event: number, now: number): void {
    this.expire(now);
    this.cells[this.current * this.events + event]! += 1;
    this.sums[event]! += 1;
  }

  sum(event: number, now: number): number {
    this.expire(now);
    return this.sums[event]!;
  }

  begin(now: number): void {
    this.expire(now);
    this.running += 1;
    if (this.running > this.peaks[this.current]!) this.peaks[this.current] = this.running;
  }

  /** A call ends that ran up to `now`: it counts in the buckets that have passed meanwhile. */
  end(now: number): void {
    this.expire(now);
    if (this.running > 0) this.running -= 1;
  }

  get concurrency(): number {
    return this.running;
  }

  /** The most calls that ran at a time. */
  peak(now: number): number {
    this.expire(now);
    return Math.max(...this.peaks);
  }

  protected renew(bucket: number): void {
    const { cells, sums, events } = this;
    const from = bucket * events;
    for (let event = 0; event < events; event++) sums[event]! -= cells[from + event]!;
    cells.fill(0, from, from + events);
    this.peaks[bucket] = this.running;
  }
}
