import { brand } from '../common/brand.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import type { KeyedCircuitBreakers } from '../policies/circuit-breaker/keyed-circuit-breakers.js';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker/options.js';
import { NamedRegistry } from './named-registry.js';

const KIND = 'circuitBreaker';

/**
 * Injection token of the {@link CircuitBreakerRegistry}, for code that may load another copy of the package than the
 * application (ESM beside CommonJS); all other code can inject the class.
 */
export const CIRCUIT_BREAKER_REGISTRY = brand('CircuitBreakerRegistry');

/**
 * The circuit breakers of one application, by name. Injectable.
 *
 * A breaker's name is the one in its options, that of its pipeline, or that of its method (`Class.method`) or command;
 * breakers by key are called `name[key]`.
 *
 * @example
 * registry.get('storagesvc').forceOpen({ by: 'anna', reason: 'migration' });
 */
export class CircuitBreakerRegistry extends NamedRegistry<CircuitBreaker> {
  protected override readonly what = 'circuit breaker';
  protected override readonly kind = KIND;

  /**
   * Changes options of a breaker, for all its keys, including those not used yet: the same as
   * `ResilienceService.configure(name, { circuitBreaker: change })`.
   *
   * @throws {ResilienceConfigurationError} when the options are wrong; the old ones then stay in force
   * @throws {Error} when there is no breaker of that name, or the name is that of a single key
   *
   * @example
   * registry.reconfigure('storagesvc', { openFor: '30s' });
   */
  reconfigure(name: string, change: Omit<CircuitBreakerOptions, 'name' | 'key' | 'config'>): void {
    this.change(name, change);
  }

  /** @internal Whether the breaker of that name, or those of all its keys, share their state with the fleet. */
  isShared(name: string): boolean {
    const part =
      this.store.find<CircuitBreaker | KeyedCircuitBreakers>(KIND, name) ??
      this.keyedPartOf(name)?.part;
    return part?.shared ?? false;
  }

  protected override show(breaker: CircuitBreaker): CircuitBreaker {
    return breaker;
  }
}
