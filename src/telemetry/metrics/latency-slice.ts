import { GrowingHistogram } from './growing-histogram.js';
import type { LatencyTotal } from './latency-total.js';

/** So many latencies are kept as they are; of more, a histogram takes less. */
const FEW = 16;

/** How long the calls of one slice of time took. */
export class LatencySlice {
  private few: number[];
  /** Of many; then there are no few. */
  private many: GrowingHistogram | undefined = undefined;

  /**
   * @param number of the slice in its window
   * @param older the one before it in which there is anything
   */
  constructor(
    readonly number: number,
    public older: LatencySlice | undefined,
    ms: number,
  ) {
    this.few = [ms];
  }

  /** As long as there are few. @returns what to record further ones with, when there are many now */
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
