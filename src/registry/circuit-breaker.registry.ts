import { brand } from '../common/brand.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { OptionsReader, Problems } from '../common/options-reader.js';
import { printable } from '../common/printable.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import { KeyedCircuitBreakers } from '../policies/circuit-breaker/keyed-circuit-breakers.js';
import {
  type CircuitBreakerOptions,
  readCircuitBreakerOptions,
  refuseCritical,
} from '../policies/circuit-breaker/options.js';
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
   * Changes options of a breaker (of all its keys) at run time. It keeps its state, and its counts unless the window
   * changes: a new window starts empty.
   *
   * @throws {ResilienceConfigurationError} when the options are wrong; the old ones then stay in force
   * @throws {Error} when there is no breaker of that name, or the name is that of a single key
   *
   * @example
   * registry.reconfigure('storagesvc', { openFor: '30s' });
   */
  reconfigure(name: string, change: Omit<CircuitBreakerOptions, 'name' | 'key' | 'config'>): void {
    const part = this.part(name);
    const old: CircuitBreakerOptions = this.store.optionsOf(KIND, name) ?? {};
    const { key: fixedKey, ...options } = { ...old, ...change };
    const problems = new Problems();
    for (const fixed of ['name', 'key', 'config']) {
      if (fixed in change) problems.add(`reconfigure("${name}")`, `${fixed} cannot be changed`);
    }
    const read = new OptionsReader<CircuitBreakerOptions>(
      options,
      `reconfigure("${name}")`,
      problems,
    );
    const settings = readCircuitBreakerOptions(read);
    if (fixedKey !== undefined) refuseCritical(read, settings);
    read.done();
    if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
    if (part instanceof KeyedCircuitBreakers) part.reconfigure(settings);
    else part.reconfigure(settings.breaker);
    const changed = fixedKey === undefined ? options : { ...options, key: fixedKey };
    this.store.changed(KIND, name, changed, settings);
  }

  protected override show(breaker: CircuitBreaker): CircuitBreaker {
    return breaker;
  }

  private part(name: string): CircuitBreaker | KeyedCircuitBreakers {
    const part = this.partCalled(name);
    if (part !== undefined) return part as CircuitBreaker | KeyedCircuitBreakers;
    const keyed = this.keyedPartOf(name);
    if (keyed === undefined) throw this.unknown(name);
    throw new Error(
      `there is no ${this.what} "${printable(name)}" to reconfigure: it is one key of "${keyed.name}"; use that name, for all keys`,
    );
  }
}
