import { brand } from '../common/brand.js';
import type { AnyBulkhead } from '../policies/bulkhead/any-bulkhead.js';
import type { BulkheadOptions } from '../policies/bulkhead/options.js';
import type { BulkheadView } from './bulkhead-view.js';
import { NamedRegistry } from './named-registry.js';
import { viewOf } from './view.js';

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
export class BulkheadRegistry extends NamedRegistry<AnyBulkhead, BulkheadView> {
  protected override readonly what = 'bulkhead';
  protected override readonly kind = 'bulkhead';

  /**
   * Changes options of a bulkhead, for all its keys, including those not used yet: the same as
   * `ResilienceService.configure(name, { bulkhead: change })`.
   *
   * @throws {ResilienceConfigurationError} when the options are wrong; the old ones then stay in force
   * @throws {Error} when there is no bulkhead of that name, or the name is that of a single key
   *
   * @example
   * registry.reconfigure('storagesvc', { maxConcurrent: 50 });
   */
  reconfigure(
    name: string,
    change: Omit<BulkheadOptions, 'name' | 'key' | 'scope' | 'config'>,
  ): void {
    this.change(name, change);
  }

  protected override show(bulkhead: AnyBulkhead): BulkheadView {
    return viewOf(bulkhead);
  }
}
