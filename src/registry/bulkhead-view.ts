import type { BulkheadSnapshot } from '../policies/bulkhead/snapshot.js';

/** A read-only view of a bulkhead: its current numbers, and {@link snapshot} to keep them. */
export interface BulkheadView extends BulkheadSnapshot {
  snapshot(): BulkheadSnapshot;
}

/** A bulkhead, without what calls do with it. */
export function viewOf(bulkhead: { snapshot(): BulkheadSnapshot }): BulkheadView {
  const view = { snapshot: () => bulkhead.snapshot() };
  Object.defineProperty(view, 'snapshot', { enumerable: false }); // JSON and spreading give the numbers
  for (const field of Object.keys(bulkhead.snapshot()) as (keyof BulkheadSnapshot)[]) {
    Object.defineProperty(view, field, { enumerable: true, get: () => bulkhead.snapshot()[field] });
  }
  return view as BulkheadView;
}
