import type { OutcomeRule } from '../../common/outcome.js';
import { printable } from '../../common/printable.js';
import type { Call } from '../../pipeline/call.js';
import { KeyedParts } from '../keyed-parts.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { BreakerSettings, CircuitBreakerSettings } from './options.js';

/** The breakers of one name, one per key. */
export class KeyedCircuitBreakers {
  private readonly parts: KeyedParts<CircuitBreaker>;

  constructor(
    readonly name: string,
    private settings: CircuitBreakerSettings,
    create: (name: string, settings: BreakerSettings) => CircuitBreaker,
    warn: (message: string) => void,
  ) {
    this.parts = new KeyedParts(
      settings.maxKeys,
      (key) => create(`${name}[${key}]`, this.settings.breaker),
      (breaker) => breaker.idle,
      (maxKeys) =>
        warn(
          `circuit "${printable(name)}": all ${maxKeys} keys (maxKeys) are in use; calls with further keys are neither counted nor turned away`,
        ),
    );
  }

  get classifier(): OutcomeRule {
    return this.settings.breaker.classifier;
  }

  /**
   * The breaker for a call; `undefined` when there is no room for its key.
   *
   * @throws what `key` throws, and a TypeError when that gives no key
   */
  forCall(call: Pick<Call, 'self' | 'args'>): CircuitBreaker | undefined {
    return this.for(this.settings.key!(call));
  }

  for(key: string): CircuitBreaker | undefined {
    return this.parts.obtain(key);
  }

  /** The breaker of a key that has been used. */
  find(key: string): CircuitBreaker | undefined {
    return this.parts.find(key);
  }

  /** @internal Other rules, for all keys; what makes the keys stays. */
  reconfigure(settings: CircuitBreakerSettings): void {
    this.settings = { ...settings, key: this.settings.key };
    this.parts.maxParts = settings.maxKeys;
    for (const breaker of this.values()) breaker.reconfigure(settings.breaker);
  }

  values(): IterableIterator<CircuitBreaker> {
    return this.parts.values();
  }
}
