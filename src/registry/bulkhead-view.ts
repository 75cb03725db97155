import type { BulkheadSnapshot } from '../policies/bulkhead/snapshot.js';

/** A read-only view of a bulkhead: its current numbers, and {@link snapshot} to keep them. */
export interface BulkheadView extends BulkheadSnapshot {
  /** The numbers of this moment, as an object that does not change any more. */
  snapshot(): BulkheadSnapshot;
}
