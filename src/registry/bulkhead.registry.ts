import { brand } from '../common/brand.js';
import type { BulkheadSnapshot } from '../policies/bulkhead/snapshot.js';
import type { PartStore } from './named-parts.js';

/** Injection token of the {@link BulkheadRegistry}; as `CIRCUIT_BREAKER_REGISTRY`. */
export const BULKHEAD_REGISTRY = brand('BulkheadRegistry');

/**
 * The bulkheads of one application, by name: how many calls run and wait. Injectable.
 *
 * A bulkhead's name is the one in its options, that of its pipeline, or `Class.method`.
 */
export class BulkheadRegistry implements Iterable<BulkheadSnapshot> {
  /** @internal */
  constructor(private readonly parts: PartStore) {}

  /** @throws {Error} when there is none of that name; the message lists those that there are */
  get(name: string): BulkheadSnapshot {
    const known: string[] = [];
    for (const snapshot of this) {
      if (snapshot.name === name) return snapshot;
      known.push(`"${snapshot.name}"`);
    }
    throw new Error(`there is no bulkhead "${name}"; there are ${known.join(', ') || 'none'}`);
  }

  *[Symbol.iterator](): IterableIterator<BulkheadSnapshot> {
    for (const bulkhead of this.parts.ofKind<{ snapshot(): BulkheadSnapshot }>('bulkhead')) {
      yield bulkhead.snapshot();
    }
  }
}
