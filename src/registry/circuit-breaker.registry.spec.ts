import { ResilienceConfigurationError } from '../common/errors.js';
import { OptionsReader, Problems } from '../common/options-reader.js';
import { circuitBreakerPolicy } from '../policies/circuit-breaker/index.js';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker/options.js';
import type { PolicySite } from '../policies/policy.js';
import { ResilienceEvents } from '../telemetry/resilience-events.js';
import { ManualClock } from '../testing/index.js';
import { CircuitBreakerRegistry } from './circuit-breaker.registry.js';
import { PartStore } from './named-parts.js';

/** A registry of the breakers of such methods. */
function registryOf(methods: Record<string, CircuitBreakerOptions>): CircuitBreakerRegistry {
  const parts = new PartStore();
  const site: Partial<PolicySite> = {
    clock: new ManualClock(),
    random: () => 0.5,
    events: new ResilienceEvents(),
    named: parts,
    warn: () => {},
    log: () => {},
  };
  for (const [name, options] of Object.entries(methods)) {
    const own = { ...site, name, partNameOf: () => name } as PolicySite;
    const settings = circuitBreakerPolicy.settle(
      new OptionsReader(options, name, new Problems()),
      own,
    );
    const part = circuitBreakerPolicy.part!(settings);
    const declaration = { site: name, owner: Object, where: name, reference: false, options };
    parts.declare(
      { kind: 'circuitBreaker', ...declaration, name: part?.name, settings: part?.settings },
      new Problems(),
    );
    circuitBreakerPolicy.stages(settings, own)['circuit breaker']!();
  }
  return new CircuitBreakerRegistry(parts, (_type, method) => ({
    name: method,
    stages: [],
    policies: [],
  }));
}

describe('CircuitBreakerRegistry', () => {
  const registry = registryOf({ 'Books.list': { name: 'storagesvc' }, 'Books.get': {} });

  it('finds breakers by name, which is their method when they have none', () => {
    expect(registry.names()).toEqual(['storagesvc', 'Books.get']);
    expect(registry.get('storagesvc').name).toBe('storagesvc');
    expect(registry.get('Books.get')).toBe(registry.get('Books.get'));
    expect([registry.has('storagesvc'), registry.has('Books.list')]).toEqual([true, false]);
    expect([...registry].map(({ name }) => name)).toEqual(registry.names());
  });

  it('says which there are when asked for one that there is not', () => {
    expect(() => registry.get('x')).toThrow(
      'there is no circuit breaker "x"; there are "storagesvc", "Books.get"',
    );
    expect(() => registryOf({}).get('x')).toThrow(
      'there is no circuit breaker "x"; there are none',
    );
    expect(() => registry.reconfigure('x', {})).toThrow('there is no circuit breaker "x"');
  });

  it('changes options of a breaker while it works; the others stay as they are', () => {
    const own = registryOf({ a: { name: 'a', consecutiveFailures: 2, openFor: '1s' } });
    const breaker = own.get('a');
    own.reconfigure('a', { openFor: '7s' });
    expect(own.get('a')).toBe(breaker);
    for (let i = 0; i < 2; i++) breaker.tryAcquire()!.failure();
    expect(breaker.snapshot()).toMatchObject({ state: 'open', retryAfterMs: 7_000 });
    breaker.reset();
    own.reconfigure('a', { consecutiveFailures: 1 });
    breaker.tryAcquire()!.failure();
    expect(breaker.snapshot().retryAfterMs).toBe(7_000);
  });

  it('refuses options that are wrong, all together, and changes nothing', () => {
    const own = registryOf({ a: { name: 'a', consecutiveFailures: 1 } });
    const change = {
      openFor: 'soon',
      failureRate: 50,
      nonsense: 1,
    } as unknown as CircuitBreakerOptions;
    let thrown: unknown;
    try {
      own.reconfigure('a', change);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ResilienceConfigurationError);
    expect((thrown as ResilienceConfigurationError).problems).toHaveLength(3);
    own.get('a').tryAcquire()!.failure();
    expect(own.get('a').snapshot().retryAfterMs).toBe(5_000);
  });

  it('describes a method', () => {
    expect(registry.describe(Object, 'list').name).toBe('list');
  });
});
