import type { Distribution } from './recorder.js';
import type { Combinable, Labels } from './series.js';

/** One series of a histogram with fixed buckets. */
export class Buckets implements Distribution, Combinable<Buckets> {
  /** Per bucket, not yet cumulated; the last one is for values above all bounds. */
  readonly counts: number[];
  sum = 0;
  /** `Infinity` without a value. */
  min = Infinity;
  /** `-Infinity` without a value. */
  max = -Infinity;

  /** @param bounds the upper bounds, which belong to their buckets; in ascending order */
  constructor(
    readonly labels: Labels,
    readonly bounds: readonly number[],
  ) {
    this.counts = [...bounds.map(() => 0), 0];
  }

  /** @returns the index of the value's bucket */
  record(value: number): number {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket += 1;
    counts[bucket]! += 1;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    return bucket;
  }

  copy(): Buckets {
    const copy = new Buckets(this.labels, this.bounds);
    copy.add(this);
    return copy;
  }

  add({ counts, sum, min, max }: Buckets): void {
    for (const [bucket, count] of counts.entries()) this.counts[bucket]! += count;
    this.sum += sum;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
  }

  reset(): void {
    this.counts.fill(0);
    this.sum = 0;
    this.min = Infinity;
    this.max = -Infinity;
  }
}
