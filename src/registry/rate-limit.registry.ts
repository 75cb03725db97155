import { brand } from '../common/brand.js';
import type { Limiter } from '../policies/rate-limit/limiter.js';
import type { RateLimitOptions } from '../policies/rate-limit/options.js';
import { NamedRegistry } from './named-registry.js';
import type { RateLimitView } from './rate-limit-view.js';
import { viewOf } from './view.js';

/** Injection token of the {@link RateLimitRegistry}; for its purpose see `CIRCUIT_BREAKER_REGISTRY`. */
export const RATE_LIMIT_REGISTRY = brand('RateLimitRegistry');

/**
 * The rate limits of one application, by name. Injectable.
 *
 * A limit's name is the one in its options, that of its pipeline, or that of its method (`Class.method`) or command; limits by
 * key are called `name[key]`.
 *
 * @example
 * const { remaining, waiting } = registry.get('storagesvc').snapshot();
 */
export class RateLimitRegistry extends NamedRegistry<Limiter, RateLimitView> {
  protected override readonly what = 'rate limit';
  protected override readonly kind = 'rateLimit';

  /**
   * Changes options of a rate limit, for all its keys, including those not used yet: the same as
   * `ResilienceService.configure(name, { rateLimit: change })`.
   *
   * @throws {ResilienceConfigurationError} when the options are wrong; the old ones then stay in force
   * @throws {Error} when there is no rate limit of that name, or the name is that of a single key
   *
   * @example
   * registry.reconfigure('storagesvc', { limit: 50 });
   */
  reconfigure(
    name: string,
    change: Omit<RateLimitOptions, 'name' | 'key' | 'scope' | 'config'>,
  ): void {
    this.change(name, change);
  }

  protected override show(limiter: Limiter): RateLimitView {
    return viewOf(limiter);
  }
}
