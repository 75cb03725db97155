import type { BulkheadSnapshot } from '../policies/bulkhead/snapshot.js';

/** A read-only view of a bulkhead: its current numbers, and {@link snapshot} to keep them. */
export interface BulkheadView extends BulkheadSnapshot {
  /** The current numbers, as an object that no longer changes. */
  snapshot(): BulkheadSnapshot;
}
