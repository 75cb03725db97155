import { quietly } from '../common/quietly.js';
import type { Distribution } from '../instruments/recorder.js';
import type { Labels } from '../instruments/series.js';

/** The labels of an exemplar, such as `trace_id` and `span_id`. */
export type GetExemplar = () => Labels | undefined;

/** A value that was recorded, and the trace in which that was. */
export interface Exemplar {
  readonly labelSet: Labels;
  readonly value: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/** One series of a histogram with fixed buckets. */
export class Buckets implements Distribution {
  /** Per bucket, not yet cumulated; the last one is for values above all bounds. */
  readonly counts: number[];
  sum = 0;
  /** The last exemplar of each bucket. */
  readonly exemplars: (Exemplar | undefined)[] = [];

  constructor(
    readonly labels: Labels,
    readonly bounds: readonly number[],
    private readonly exemplar: GetExemplar | undefined,
  ) {
    this.counts = [...bounds.map(() => 0), 0];
  }

  record(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket += 1;
    counts[bucket]! += 1;
    this.sum += value;
    if (this.exemplar !== undefined) this.keepExemplar(bucket, value, this.exemplar);
  }

  reset(): void {
    this.counts.fill(0);
    this.sum = 0;
    this.exemplars.length = 0;
  }

  private keepExemplar(bucket: number, value: number, exemplar: GetExemplar): void {
    quietly(() => {
      const labelSet = exemplar();
      if (labelSet === undefined) return;
      this.exemplars[bucket] = { labelSet, value, timestamp: Date.now() / 1_000 };
    });
  }
}
