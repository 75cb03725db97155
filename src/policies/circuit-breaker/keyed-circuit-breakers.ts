import type { OutcomeRule } from '../../common/outcomes/outcome.js';
import { printable } from '../../common/printable.js';
import type { Call } from '../../pipeline/call.js';
import { KeyedParts, PartsByKey } from '../keyed-parts.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { BreakerSettings, CircuitBreakerSettings } from './options.js';

/** The breakers of one name, one per key. */
export class KeyedCircuitBreakers extends PartsByKey<CircuitBreaker> {
  protected override readonly parts: KeyedParts<CircuitBreaker>;

  constructor(
    override readonly name: string,
    private settings: CircuitBreakerSettings,
    create: (name: string, settings: BreakerSettings) => CircuitBreaker,
    warn: (message: string) => void,
  ) {
    super();
    this.parts = new KeyedParts(
      settings.maxKeys,
      (key) => create(`${name}[${key}]`, this.settings.breaker),
      (breaker) => breaker.idle,
      (maxKeys) =>
        warn(
          `circuit "${printable(name)}": all ${maxKeys} keys (maxKeys) are in use; calls with further keys are neither counted nor rejected`,
        ),
      (breaker) => {
        breaker.retire();
        this.onGone(breaker);
      },
    );
  }

  get shared(): boolean {
    return this.settings.breaker.sharing !== undefined;
  }

  get classifier(): OutcomeRule {
    return this.settings.breaker.classifier;
  }

  /**
   * The breaker for a call; `undefined` when there is no room for its key.
   *
   * @throws what `key` throws, or a TypeError when it returns no valid key
   */
  forCall(call: Pick<Call, 'self' | 'args'>): CircuitBreaker | undefined {
    return this.for(this.settings.key!(call));
  }

  for(key: string): CircuitBreaker | undefined {
    return this.parts.obtain(key);
  }

  /** @internal Changes the settings of all keys; the `key` function stays. */
  reconfigure(settings: CircuitBreakerSettings): void {
    this.settings = { ...settings, key: this.settings.key };
    this.parts.maxParts = settings.maxKeys;
    for (const breaker of this.values()) breaker.reconfigure(settings.breaker);
  }
}
