import { OptionsReader, Problems } from '../common/options-reader.js';
import { circuitBreakerPolicy } from '../policies/circuit-breaker/circuit-breaker.policy.js';
import type { KeyedCircuitBreakers } from '../policies/circuit-breaker/keyed-circuit-breakers.js';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker/options.js';
import type { PolicySite } from '../policies/policy.js';
import { ResilienceEvents } from '../telemetry/resilience-events.js';
import { ManualClock } from '../testing/index.js';
import { CircuitBreakerRegistry } from './circuit-breaker.registry.js';
import { PartStore } from './named-parts.js';

/** The changes of options that registries have asked for. */
const changes: unknown[][] = [];

/** A registry of the breakers of such methods. */
function registryOf(methods: Record<string, CircuitBreakerOptions>): CircuitBreakerRegistry {
  const parts = new PartStore();
  const site: Partial<PolicySite> = {
    clock: new ManualClock(),
    random: () => 0.5,
    events: new ResilienceEvents(),
    named: parts,
    warn: () => {},
    onClose: () => () => {},
  };
  for (const [name, options] of Object.entries(methods)) {
    const own = { ...site, name, partNameOf: () => name } as PolicySite;
    const settings = circuitBreakerPolicy.read(
      new OptionsReader(options, name, new Problems()),
      own,
    );
    const part = circuitBreakerPolicy.part!(settings);
    const declaration = { declaredBy: name, owner: Object, where: name, reference: false, options };
    parts.declare(
      { kind: 'circuitBreaker', ...declaration, name: part?.name, settings: part?.settings },
      new Problems(),
    );
    circuitBreakerPolicy.stages(settings, own)['circuit breaker']!();
  }
  return new CircuitBreakerRegistry(parts, (...change) => changes.push(change));
}

describe('CircuitBreakerRegistry', () => {
  const registry = registryOf({ 'Books.list': { name: 'storagesvc' }, 'Books.get': {} });

  it('finds breakers by name, by default that of their method', () => {
    expect(registry.names()).toEqual(['storagesvc', 'Books.get']);
    expect(registry.get('storagesvc').name).toBe('storagesvc');
    expect(registry.get('Books.get')).toBe(registry.get('Books.get'));
    expect([registry.has('storagesvc'), registry.has('Books.list')]).toEqual([true, false]);
    expect([...registry].map(({ name }) => name)).toEqual(registry.names());
  });

  it('lists known names when asked for an unknown one', () => {
    expect(() => registry.get('x')).toThrow(
      'there is no circuit breaker "x"; there are "storagesvc", "Books.get"',
    );
    expect(() => registryOf({}).get('x')).toThrow(
      'there is no circuit breaker "x"; there are none',
    );
    expect(() => registry.reconfigure('x', {})).toThrow('there is no circuit breaker "x"');
  });

  it('changes options by the common way', () => {
    changes.length = 0;
    registry.reconfigure('storagesvc', { openFor: '7s' });
    expect(changes).toEqual([
      ['storagesvc', { circuitBreaker: { openFor: '7s' } }, 'reconfigure("storagesvc")'],
    ]);
  });
});

describe('CircuitBreakerRegistry, with breakers by key', () => {
  const byKey = (names: readonly string[], keys: readonly string[]) => {
    const registry = registryOf(
      Object.fromEntries(names.map((name) => [name, { name, key: String, maxKeys: 1_000_000 }])),
    );
    const parts = (registry as unknown as { store: PartStore }).store;
    for (const name of names) {
      const breakers = parts.find<KeyedCircuitBreakers>('circuitBreaker', name)!;
      for (const key of keys) breakers.for(key);
    }
    return registry;
  };
  const odd = ['', 'a', '[', ']', '][', 'a]', 'b[c]', '[[]]', '][a', 'a[b', '*', 'a.b', 'é€😀'];

  it('finds each of them by its name, even with brackets in names and keys', () => {
    const registry = byKey(['api', 'api[a', 'api[', 'api]', '[', ']', '[]'], odd);
    for (const breaker of registry) expect(registry.get(breaker.name).name).toBe(breaker.name);
    const same = new Map<string, number>();
    for (const { name } of registry) same.set(name, (same.get(name) ?? 0) + 1);
    for (const breaker of registry) {
      if (same.get(breaker.name) === 1) expect(registry.get(breaker.name)).toBe(breaker);
    }
    expect(registry.size).toBe(7 * odd.length);
  });

  it('does not find unknown names', () => {
    const registry = byKey(['api'], ['a', 'b[c]']);
    for (const name of [
      'api',
      'api[',
      'api]',
      'api[]',
      'api[b]',
      'api[b[c]',
      'api[a]]',
      '[a]',
      '',
    ]) {
      expect([name, registry.has(name)]).toEqual([name, false]);
    }
    expect(registry.has('api[a]')).toBe(true);
  });

  it('notifies listeners of each breaker that was removed to make room for another key', () => {
    const registry = registryOf({ api: { name: 'api', key: String, maxKeys: 1 }, other: {} });
    const parts = (registry as unknown as { store: PartStore }).store;
    const breakers = parts.find<KeyedCircuitBreakers>('circuitBreaker', 'api')!;
    const gone: unknown[][] = [[], []];
    const end = registry.onGone((breaker) => gone[0]!.push(breaker));
    registry.onGone((breaker) => gone[1]!.push(breaker));
    const [first, second] = [breakers.for('a'), breakers.for('b')];
    end();
    breakers.for('c');
    expect(gone).toEqual([[first], [first, second]]);
  });

  it('finds a breaker of its own with such a name', () => {
    const registry = registryOf({
      'api[a]': { name: 'api[a]' },
      api: { name: 'api', key: String },
    });
    expect(registry.get('api[a]').name).toBe('api[a]');
  });

  it('finds one among 100,000 as fast as among 10', () => {
    const among = (count: number): (() => number) => {
      const registry = byKey(
        ['api'],
        Array.from({ length: count }, (_, key) => `${key}`),
      );
      return () => {
        const start = performance.now();
        for (let turn = 0; turn < 200; turn++) registry.get(`api[${(turn * 7) % count}]`);
        return performance.now() - start;
      };
    };
    const [few, many] = [among(10), among(100_000)];
    const best = (took: () => number): number => Math.min(...Array.from({ length: 20 }, took));
    best(few);
    expect(best(many)).toBeLessThan(50 * best(few) + 1);
  });

  it('lists at most twenty known names', () => {
    const registry = byKey(
      ['api'],
      Array.from({ length: 50 }, (_, key) => `${key}`),
    );
    expect(() => registry.get('x')).toThrow(/"api\[18\]", "api\[19\]" and 30 more$/);
    const full = byKey(
      ['api'],
      Array.from({ length: 20 }, (_, key) => `${key}`),
    );
    expect(() => full.get('x')).toThrow(/"api\[19\]"$/);
  });

  it('says that a key cannot be reconfigured by itself', () => {
    const registry = byKey(['api'], ['a']);
    expect(() => registry.reconfigure('api[a]', {})).toThrow(
      'there is no circuit breaker "api[a]" to reconfigure: it is one key of "api"; use that name, for all keys',
    );
  });

  it('can leave out those by key', () => {
    const registry = registryOf({ own: {}, api: { name: 'api', key: String } });
    const parts = (registry as unknown as { store: PartStore }).store;
    parts.find<KeyedCircuitBreakers>('circuitBreaker', 'api')!.for('a');
    const names = (keys: boolean): string[] =>
      Array.from(registry.list({ keys }), ({ name }) => name);
    expect(names(false)).toEqual(['own']);
    expect(names(true)).toEqual(['own', 'api[a]']);
    expect(Array.from(registry.list(), ({ name }) => name)).toEqual(registry.names());
  });

  it('is iterated in turns, each breaker once, even if keys come and go meanwhile', async () => {
    const keys = Array.from({ length: 200 }, (_, key) => `${key}`);
    const registry = registryOf({ api: { name: 'api', key: String, maxKeys: 200 } });
    const parts = (registry as unknown as { store: PartStore }).store;
    const breakers = parts.find<KeyedCircuitBreakers>('circuitBreaker', 'api')!;
    for (const key of keys) breakers.for(key);
    const seen: string[] = [];
    for await (const { name } of registry) {
      seen.push(name);
      breakers.for(`new ${seen.length}`);
      if (seen.length > 1_000) break;
    }
    expect(seen).toEqual(keys.map((key) => `api[${key}]`));
  });
});
