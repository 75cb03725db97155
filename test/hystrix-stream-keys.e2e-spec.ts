import {
  BulkheadRegistry,
  Bulkhead,
  CircuitBreaker,
  CircuitBreakerRegistry,
} from '../src/index.js';
import { HystrixStreamModule, type HystrixStreamOptions } from '../src/hystrix-stream/index.js';
import { type Platform, closeAll, everyPlatform, serve } from './support/boot.js';
import { read } from './support/hystrix.js';
import { until } from './support/wait.js';

afterEach(closeAll);

class Tenants {
  @CircuitBreaker({ name: 'tenant', key: (tenant: string) => tenant })
  async load(tenant: string): Promise<string> {
    return tenant;
  }

  @CircuitBreaker('storagesvc')
  @Bulkhead({ name: 'places', maxConcurrent: 3 })
  async all(): Promise<string> {
    return 'all';
  }
}

describe.each(everyPlatform)('breakers by key, on %s,', (platform: Platform) => {
  const shown = async (options: HystrixStreamOptions): Promise<unknown[]> => {
    const { app, url } = await serve(platform, {
      imports: [HystrixStreamModule.forRoot({ interval: '20ms', ...options })],
      providers: [Tenants],
    });
    const tenants = app.get(Tenants);
    for (const tenant of ['acme', 'globex']) await tenants.load(tenant);
    const reader = await read(`${url}/hystrix.stream`);
    const names = (): unknown[] => reader.events.map(({ name }) => name);
    // All have been shown between two of the same; they may come in several pieces.
    await until(() => names().filter((name) => name === 'storagesvc').length >= 2);
    reader.disconnect();
    return [...new Set(names())].sort();
  };

  it('are not shown by default', async () => {
    expect(await shown({})).toEqual(['storagesvc']);
    expect(await shown({ keys: false })).toEqual(['storagesvc']);
  });

  it('are shown if so configured', async () => {
    expect(await shown({ keys: true })).toEqual(['storagesvc', 'tenant[acme]', 'tenant[globex]']);
  });
});

describe('registries', () => {
  const boot = async () => {
    const { app } = await serve('Express', { providers: [Tenants] });
    await app.get(Tenants).load('acme');
    return { breakers: app.get(CircuitBreakerRegistry), bulkheads: app.get(BulkheadRegistry) };
  };

  it('give breakers and bulkheads in the same way: by name, with snapshot()', async () => {
    const { breakers, bulkheads } = await boot();
    for (const registry of [breakers, bulkheads]) {
      for (const part of registry) {
        expect(part.snapshot().name).toBe(part.name);
        expect(registry.get(part.name)).toBe(part);
      }
    }
    const seen: string[] = [];
    for await (const { name } of breakers) seen.push(name);
    for await (const { name } of bulkheads) seen.push(name);
    expect(seen.sort()).toEqual(['places', 'storagesvc', 'tenant[acme]']);
  });

  it('give bulkheads with current numbers, in JSON too', async () => {
    const { bulkheads } = await boot();
    const places = bulkheads.get('places');
    const numbers = {
      name: 'places',
      maxConcurrent: 3,
      maxQueue: 0,
      running: 0,
      waiting: 0,
      rejected: 0,
    };
    expect(places.snapshot()).toEqual(numbers);
    expect(JSON.parse(JSON.stringify(places))).toEqual(numbers);
    expect({ ...places }).toEqual(numbers);
  });
});
