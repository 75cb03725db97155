import { brand } from '../common/brand.js';
import type { BulkheadSnapshot } from '../policies/bulkhead/snapshot.js';
import { type BulkheadView, viewOf } from './bulkhead-view.js';
import type { PartStore } from './named-parts.js';
import { NamedRegistry } from './named-registry.js';

const KIND = 'bulkhead';

/** Injection token of the {@link BulkheadRegistry}; as `CIRCUIT_BREAKER_REGISTRY`. */
export const BULKHEAD_REGISTRY = brand('BulkheadRegistry');

interface Bulkhead {
  snapshot(): BulkheadSnapshot;
}

/**
 * The bulkheads of one application, by name: how many calls run and wait. Injectable.
 *
 * A bulkhead's name is the one in its options, that of its pipeline, or `Class.method`.
 *
 * @example
 * const { running, waiting } = registry.get('storagesvc').snapshot();
 */
export class BulkheadRegistry extends NamedRegistry<BulkheadView> {
  protected override readonly what = 'bulkhead';
  private readonly views = new WeakMap<Bulkhead, BulkheadView>();

  /** @internal */
  constructor(private readonly parts: PartStore) {
    super();
  }

  override *[Symbol.iterator](): IterableIterator<BulkheadView> {
    for (const bulkhead of this.parts.ofKind<Bulkhead>(KIND)) yield this.view(bulkhead);
  }

  override get size(): number {
    let size = 0;
    for (const _ of this.parts.ofKind(KIND)) size += 1;
    return size;
  }

  protected override find(name: string): BulkheadView | undefined {
    const bulkhead = this.parts.find<Bulkhead>(KIND, name);
    return bulkhead && this.view(bulkhead);
  }

  private view(bulkhead: Bulkhead): BulkheadView {
    let view = this.views.get(bulkhead);
    if (view === undefined) this.views.set(bulkhead, (view = viewOf(bulkhead)));
    return view;
  }
}
