import type { BulkheadSnapshot } from '../policies/bulkhead/snapshot.js';

/** A read-only view of a bulkhead: its current numbers, and {@link snapshot} to keep them. */
export interface BulkheadView extends BulkheadSnapshot {
  /** The numbers of this moment, as an object that does not change any more. */
  snapshot(): BulkheadSnapshot;
}

/** A view of a bulkhead without the methods that calls use. */
export function viewOf(bulkhead: { snapshot(): BulkheadSnapshot }): BulkheadView {
  const view = { snapshot: () => bulkhead.snapshot() };
  Object.defineProperty(view, 'snapshot', { enumerable: false }); // so that JSON and spreading give the numbers only
  for (const field of Object.keys(bulkhead.snapshot()) as (keyof BulkheadSnapshot)[]) {
    Object.defineProperty(view, field, { enumerable: true, get: () => bulkhead.snapshot()[field] });
  }
  return view as BulkheadView;
}
