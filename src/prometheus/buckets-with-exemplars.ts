import { quietly } from '../common/quietly.js';
import { Buckets } from '../instruments/buckets.js';
import type { Labels } from '../instruments/series.js';

/** The labels of an exemplar, such as `trace_id` and `span_id`. */
export type GetExemplar = () => Labels | undefined;

/** A recorded value, and its trace. */
export interface Exemplar {
  readonly labelSet: Labels;
  readonly value: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/** Buckets with exemplars. */
export class BucketsWithExemplars extends Buckets {
  /** The last exemplar of each bucket. */
  readonly exemplars: (Exemplar | undefined)[] = [];

  constructor(
    labels: Labels,
    bounds: readonly number[],
    private readonly exemplar: GetExemplar | undefined,
  ) {
    super(labels, bounds);
  }

  override record(value: number): number {
    const bucket = super.record(value);
    if (this.exemplar !== undefined) this.keepExemplar(bucket, value, this.exemplar);
    return bucket;
  }

  override reset(): void {
    super.reset();
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
