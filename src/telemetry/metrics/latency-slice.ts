import { GrowingHistogram } from './growing-histogram.js';
import type { LatencyTotal } from './latency-total.js';

/** Up to this many, single latencies need less memory than a histogram. */
const FEW = 16;

/** The latencies of one slice of a window. */
export class LatencySlice {
  private few: number[];
  /** Replaces `few` when there are too many. */
  private many: GrowingHistogram | undefined = undefined;

  /**
   * @param number counts the slices of the window
   * @param older the previous slice that is not empty
   */
  constructor(
    readonly number: number,
    public older: LatencySlice | undefined,
    ms: number,
  ) {
    this.few = [ms];
  }

  /** Call it until it has returned a histogram. @returns the histogram that further latencies go into, once there is one */
  record(ms: number): GrowingHistogram | undefined {
    if (this.few.push(ms) <= FEW) return undefined;
    this.many = new GrowingHistogram(this.few);
    this.few = [];
    return this.many;
  }

  addTo(total: LatencyTotal): void {
    total.add(this.few);
    this.many?.addTo(total);
  }
}
