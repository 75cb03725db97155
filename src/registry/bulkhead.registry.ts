import { brand } from '../common/brand.js';
import type { Bulkhead } from '../policies/bulkhead/bulkhead.js';
import { type BulkheadView, viewOf } from './bulkhead-view.js';
import { NamedRegistry } from './named-registry.js';

/** Injection token of the {@link BulkheadRegistry}; for its purpose see `CIRCUIT_BREAKER_REGISTRY`. */
export const BULKHEAD_REGISTRY = brand('BulkheadRegistry');

/**
 * The bulkheads of one application, by name. Injectable.
 *
 * A bulkhead's name is the one in its options, that of its pipeline, or that of its method (`Class.method`) or command;
 * bulkheads by key are called `name[key]`.
 *
 * @example
 * const { running, waiting } = registry.get('storagesvc').snapshot();
 */
export class BulkheadRegistry extends NamedRegistry<Bulkhead, BulkheadView> {
  protected override readonly what = 'bulkhead';
  protected override readonly kind = 'bulkhead';
  private readonly views = new WeakMap<Bulkhead, BulkheadView>();

  protected override show(bulkhead: Bulkhead): BulkheadView {
    let view = this.views.get(bulkhead);
    if (view === undefined) this.views.set(bulkhead, (view = viewOf(bulkhead)));
    return view;
  }
}
