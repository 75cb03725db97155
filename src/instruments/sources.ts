import type { PipelineDescription } from '../pipeline/description.js';
import type { BulkheadSnapshot } from '../policies/bulkhead/snapshot.js';
import type { BreakerReading } from '../policies/circuit-breaker/snapshot.js';
import type { RateLimitSnapshot } from '../policies/rate-limit/snapshot.js';
import type { FleetReading } from './readings.js';
import type { Listenable } from './recorder.js';

/**
 * The measured parts of one application that are used here: the objects may come from another copy of the
 * package.
 */
export interface Sources {
  readonly events: Listenable;
  readonly service: { descriptions(): Iterable<PipelineDescription> };
  readonly breakers: Parts<MeasuredBreaker>;
  readonly bulkheads: Parts<{ readonly name: string; snapshot(): BulkheadSnapshot }>;
  /** `null` without a store. */
  readonly fleet: FleetReading | null;
  readonly rateLimits: Parts<MeasuredRateLimit>;
}

export interface MeasuredBreaker {
  readonly name: string;
  reading(): BreakerReading;
}

export interface MeasuredRateLimit {
  readonly name: string;
  snapshot(): RateLimitSnapshot;
}

interface Parts<Part> extends AsyncIterable<Part> {
  list(which: { readonly keys: boolean }): Iterable<Part>;
  /** Calls `listener` with each part that has given its place to another key. @returns a function that ends that */
  onGone(listener: (part: Part) => void): () => void;
}
