import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  BulkheadRegistry,
  CircuitBreaker,
  RateLimit,
  RateLimitRegistry,
  type ResilienceModuleOptions,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { problemsBy, problemsOf } from './support/commands.js';

afterEach(closeAll);

class Client {
  @CircuitBreaker({ name: 'shared', failureRate: 0.4 })
  @Bulkhead({ name: 'places', maxConcurrent: 3 })
  async get(): Promise<number> {
    return 1;
  }
}
Injectable()(Client);

@Injectable()
class Special extends Client {}

const providers = [Client, Special];

describe('a change for one of several users of a part', () => {
  it('says how to change it for all of them', async () => {
    const { service, registry } = await boot({ providers });
    const breaker = { circuitBreaker: { failureRate: 0.9 } };
    expect(problemsBy(() => service.configure('Client.get', breaker))).toEqual([
      `Special.get @CircuitBreaker: "shared" has other options at Client.get @CircuitBreaker: failureRate is 0.9 there and 0.4 here; for all its users, use its name: configure('shared', { circuitBreaker: … })`,
    ]);
    expect(problemsBy(() => service.configure('Special', { bulkhead: 7 }))).toEqual([
      expect.stringContaining(
        `for all its users, use its name: configure('places', { bulkhead: … })`,
      ),
    ]);
    service.configure('shared', breaker);
    expect(registry.get('shared').snapshot().limits.failureRate).toBe(0.9);
  });

  it.each<ResilienceModuleOptions>([
    { overrides: { Special: { circuitBreaker: { failureRate: 0.9 } } } },
    { overrides: [{}, { 'Client.get': { circuitBreaker: { failureRate: 0.9 } } }] },
  ])('says so in overrides, which decorators cannot follow', async (resilience) => {
    expect(await problemsOf({ providers, resilience })).toEqual([
      expect.stringMatching(
        /; for all its users, use its name: overrides\['shared'\].circuitBreaker$/,
      ),
    ]);
  });
});

@Injectable()
class Keyed {
  @CircuitBreaker({ name: 'hosts', key: (host: string) => host, maxKeys: 2 })
  @Bulkhead({ name: 'hosts', key: (host: string) => host, maxKeys: 2 })
  @RateLimit({ name: 'hosts', key: (host: string) => host, maxKeys: 2, limit: 100 })
  async get(host: string): Promise<string> {
    return host;
  }
}

/** Options for all keys, as configuration and as a change while the application runs. */
const options = {
  circuitBreaker: { openFor: '7s' },
  bulkhead: { maxConcurrent: 7 },
  rateLimit: { limit: 7 },
} as const;

async function start(resilience = {}) {
  const { app, clock, service, registry } = await boot({ providers: [Keyed], resilience });
  const client = app.get(Keyed);
  const optionsOf = (key: string): unknown => ({
    openFor: registry.get(`hosts[${key}]`).snapshot().limits.openForMs,
    places: app.get(BulkheadRegistry).get(`hosts[${key}]`).maxConcurrent,
    limit: app.get(RateLimitRegistry).get(`hosts[${key}]`).limit,
  });
  return { client, clock, service, registry, optionsOf };
}

const CHANGED = { openFor: 7_000, places: 7, limit: 7 };

describe('options for the name of a part by key hold for', () => {
  it('all keys, when they are overrides', async () => {
    const { client, clock, registry, optionsOf } = await start({ overrides: { hosts: options } });
    for (const key of ['a', 'b', 'c', 'a']) {
      await client.get(key);
      expect(optionsOf(key)).toEqual(CHANGED);
      await clock.advance(600_000);
    }
    expect(registry.names()).toHaveLength(2);
  });

  it('keys in use, not used yet, and made anew, when they are changed while the application runs', async () => {
    const { client, clock, service, registry, optionsOf } = await start();
    await client.get('a');
    service.configure('hosts', options);
    expect(optionsOf('a')).toEqual(CHANGED);
    for (const key of ['b', 'c', 'd']) {
      await clock.advance(600_000);
      await client.get(key);
      expect(optionsOf(key)).toEqual(CHANGED);
    }
    expect(registry.has('hosts[a]')).toBe(false);
    await clock.advance(600_000);
    await client.get('a');
    expect(optionsOf('a')).toEqual(CHANGED);
    service.configure('hosts', null);
    expect(optionsOf('a')).not.toEqual(CHANGED);
    await clock.advance(600_000);
    await client.get('e');
    expect(optionsOf('e')).toEqual(optionsOf('a'));
  });

  it('a key that is changed alone: that is refused', async () => {
    const { client, service } = await start();
    await client.get('a');
    expect(problemsBy(() => service.configure('hosts[a]', options))).toEqual([
      expect.stringContaining(
        "is one key of 'hosts'; use that name, for all its keys, also those that have not been used yet",
      ),
    ]);
  });
});
