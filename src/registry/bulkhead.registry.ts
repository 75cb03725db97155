import { brand } from '../common/brand.js';
import type { Bulkhead } from '../policies/bulkhead/bulkhead.js';
import { KeyedBulkheads } from '../policies/bulkhead/keyed-bulkheads.js';
import type { BulkheadSnapshot } from '../policies/bulkhead/snapshot.js';
import type { PartStore } from './named-parts.js';
import { NamedRegistry } from './named-registry.js';

/** Injection token of the {@link BulkheadRegistry}; as `CIRCUIT_BREAKER_REGISTRY`. */
export const BULKHEAD_REGISTRY = brand('BulkheadRegistry');

/**
 * The bulkheads of one application, by name: how many calls run and wait. Injectable.
 *
 * A bulkhead's name is the one in its options, that of its pipeline, or `Class.method`; bulkheads by key are called
 * `name[key]`.
 */
export class BulkheadRegistry extends NamedRegistry<BulkheadSnapshot> {
  protected override readonly what = 'bulkhead';

  /** @internal */
  constructor(private readonly parts: PartStore) {
    super();
  }

  override *[Symbol.iterator](): IterableIterator<BulkheadSnapshot> {
    for (const part of this.parts.ofKind<Bulkhead | KeyedBulkheads>('bulkhead')) {
      if (part instanceof KeyedBulkheads) for (const each of part.values()) yield each.snapshot();
      else yield part.snapshot();
    }
  }
}
