import type { GrowingHistogram } from './growing-histogram.js';
import { LatencySlice } from './latency-slice.js';
import type { LatencyTotal } from './latency-total.js';
import { RollingWindow, type Span } from './rolling-window.js';

export const LAST_MINUTE: Span = { duration: 60_000, slices: 6 };

/** The latencies of the calls within a window: a chain of slices, without empty ones. */
export class RollingLatency extends RollingWindow {
  private newest: LatencySlice | undefined = undefined;
  /** The histogram of the current slice, once it has one. */
  private histogram: GrowingHistogram | undefined = undefined;

  constructor(now: number, span = LAST_MINUTE) {
    super(span, now);
  }

  /** Anything that is not a duration (negative, NaN) counts as 0. */
  record(ms: number, now: number): void {
    this.expire(now);
    const took = ms > 0 ? ms : 0;
    if (this.histogram === undefined) this.recordOneOfFew(took);
    else this.histogram.record(took);
  }

  addTo(total: LatencyTotal, now: number): void {
    this.expire(now);
    for (let slice = this.newest; slice !== undefined; slice = slice.older) slice.addTo(total);
  }

  protected override forget(): void {
    this.histogram = undefined;
    const oldest = this.current - this.span.slices + 1;
    if (this.newest !== undefined && this.newest.number < oldest) this.newest = undefined;
    for (let slice = this.newest; slice !== undefined; slice = slice.older) {
      if (slice.older !== undefined && slice.older.number < oldest) slice.older = undefined;
    }
  }

  private recordOneOfFew(ms: number): void {
    const { newest, current } = this;
    if (newest?.number === current) this.histogram = newest.record(ms);
    else this.newest = new LatencySlice(current, newest, ms);
  }
}
