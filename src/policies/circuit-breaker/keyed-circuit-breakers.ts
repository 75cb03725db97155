import type { OutcomeRule } from '../../common/outcome.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { BreakerSettings, CircuitBreakerSettings } from './options.js';

/** How many entries are looked at to find an idle one. */
const SEARCH = 20;

/** The key of the breaker that serves all keys for which there is no room. */
const OVERFLOW = '*';

/**
 * A breaker a key, at most `maxKeys` at a time. A new key takes the place of an idle one (closed, nothing running,
 * nothing counted for five minutes); when none is found, it shares the breaker called `name[*]`: state is never thrown away.
 */
export class KeyedCircuitBreakers {
  private readonly breakers = new Map<string, CircuitBreaker>();
  private overflow: CircuitBreaker | undefined = undefined;

  constructor(
    readonly name: string,
    private settings: CircuitBreakerSettings,
    private readonly create: (name: string, settings: BreakerSettings) => CircuitBreaker,
  ) {}

  get classifier(): OutcomeRule {
    return this.settings.breaker.classifier;
  }

  /** The breaker for a call with these arguments. */
  forCall(args: readonly unknown[]): CircuitBreaker {
    const keyOf = (this.settings.key ?? String) as (...args: readonly unknown[]) => string;
    return this.for(keyOf(...args));
  }

  for(key: string): CircuitBreaker {
    const known = this.breakers.get(key);
    if (known !== undefined) return known;
    if (this.breakers.size >= this.settings.maxKeys && !this.evict()) {
      return (this.overflow ??= this.make(OVERFLOW));
    }
    const breaker = this.make(key);
    this.breakers.set(key, breaker);
    return breaker;
  }

  /** The breaker of a key, if there is one. */
  find(key: string): CircuitBreaker | undefined {
    return this.breakers.get(key) ?? (key === OVERFLOW ? this.overflow : undefined);
  }

  /** How many breakers there are. */
  get size(): number {
    return this.breakers.size + (this.overflow === undefined ? 0 : 1);
  }

  /** @internal Other rules, for all keys. */
  reconfigure(settings: CircuitBreakerSettings): void {
    this.settings = settings;
    for (const breaker of this.values()) breaker.reconfigure(settings.breaker);
  }

  *values(): IterableIterator<CircuitBreaker> {
    yield* this.breakers.values();
    if (this.overflow !== undefined) yield this.overflow;
  }

  private make(key: string): CircuitBreaker {
    return this.create(`${this.name}[${key}]`, this.settings.breaker);
  }

  /** Second chance: entries that are in use move to the end of the search. */
  private evict(): boolean {
    let left = SEARCH;
    for (const [key, breaker] of this.breakers) {
      this.breakers.delete(key);
      if (breaker.idle) return true;
      this.breakers.set(key, breaker);
      if (--left === 0) return false;
    }
    return false;
  }
}
