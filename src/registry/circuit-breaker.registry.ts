import type { PipelineDescription } from '../pipeline/description.js';
import type { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import { KeyedCircuitBreakers } from '../policies/circuit-breaker/keyed-circuit-breakers.js';
import type { PartStore } from './named-parts.js';

const KIND = 'circuitBreaker';

/**
 * The circuit breakers of one application, by name. Injectable.
 *
 * A breaker's name is the one in its options, or `Class.method`; breakers by key are called `name[key]`.
 *
 * @example
 * registry.get('storagesvc').forceOpen({ by: 'anna', reason: 'migration' });
 */
export class CircuitBreakerRegistry implements Iterable<CircuitBreaker> {
  constructor(
    private readonly parts: PartStore,
    private readonly describePlan: (type: Function, method: string) => PipelineDescription,
  ) {}

  /** @throws {Error} when there is none of that name; the message lists those that there are */
  get(name: string): CircuitBreaker {
    for (const breaker of this) if (breaker.name === name) return breaker;
    const known = this.names().map((each) => `"${each}"`).join(', ') || 'none';
    throw new Error(`there is no circuit breaker "${name}"; there are ${known}`);
  }

  has(name: string): boolean {
    return this.names().includes(name);
  }

  names(): string[] {
    return Array.from(this, ({ name }) => name);
  }

  *[Symbol.iterator](): IterableIterator<CircuitBreaker> {
    for (const part of this.parts.ofKind<CircuitBreaker | KeyedCircuitBreakers>(KIND)) {
      if (part instanceof KeyedCircuitBreakers) yield* part.values();
      else yield part;
    }
  }

  /**
   * The policies of a method as they are in force: stages in their order, and the options with all layers merged.
   *
   * @throws {Error} when the method is not decorated
   */
  describe(type: Function, method: string): PipelineDescription {
    return this.describePlan(type, method);
  }
}
