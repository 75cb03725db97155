import { Injectable } from '@nestjs/common';
import {
  CircuitOpenError,
  constant,
  fallbackValue,
  ResilienceService,
  staleIfError,
} from '../src/index.js';
import { systemClock } from '../src/common/clock.js';
import { boot, closeAll, of } from './support/boot.js';
import { errorOf } from './outcomes/support.js';
import { Sdk } from './support/sdk.js';

afterEach(closeAll);

const twice = { retry: { maxRetries: 2, backoff: constant(0) } };
const breaker = { circuitBreaker: { consecutiveFailures: 1 } };

/** Retries at once need no virtual time. */
const atOnce = { resilience: { clock: systemClock } };

async function service(): Promise<ResilienceService> {
  return (await boot(atOnce)).service;
}

describe('objects under protect()', () => {
  describe('state', () => {
    it('exists once per named method, and is shared under *', async () => {
      const { service: s, registry } = await boot();
      const sdk = new Sdk();
      const p = s.protect(sdk, { name: 'sdk', methods: { get: breaker }, '*': breaker });
      sdk.failures = 2;
      await p.get(1).catch(() => {});
      await p.put(1).catch(() => {});
      expect([...registry.list()].map(({ name, state }) => [name, state])).toEqual([
        ['sdk.get', 'open'],
        ['sdk', 'open'],
      ]);
    });

    it('is that of a pipeline, given by its name or changed by options', async () => {
      const pipelines = { store: { ...twice, ...breaker } };
      const { service: s, registry } = await boot({
        resilience: { ...atOnce.resilience, pipelines },
      });
      const sdk = new Sdk();
      const put = { pipeline: 'store', retry: { maxRetries: 0 } };
      const p = s.protect(sdk, { name: 'sdk', methods: { get: 'store', put } });
      expect(await p.get(1)).toBe('eu/1');
      sdk.failures = 1;
      await expect(p.put(1)).rejects.toThrow('down');
      await expect(p.get(1)).rejects.toBeInstanceOf(CircuitOpenError);
      expect([...registry.list()].map(({ name }) => name)).toEqual(['store']);
    });

    it('is shared by all objects of the same name', async () => {
      const s = await service();
      const [one, other] = [new Sdk(), new Sdk()];
      const options = { name: 'sdk', methods: { get: breaker } };
      const p = s.protect(one, options);
      expect(s.protect(one, options)).toBe(p);
      expect(s.protect(p, options)).toBe(p);
      const q = s.protect(other, {
        name: 'sdk',
        methods: { get: { circuitBreaker: { consecutiveFailures: 1 } } },
      });
      expect(q).not.toBe(p);
      one.failures = 1;
      await p.get(1).catch(() => {});
      await expect(q.get(1)).rejects.toBeInstanceOf(CircuitOpenError);
      expect(other.calls).toEqual([]);
    });

    it('is named in events', async () => {
      const { service: s, events } = await boot(atOnce);
      const sdk = new Sdk();
      const p = s.protect(sdk, { name: 'sdk', methods: { get: twice }, '*': twice });
      sdk.failures = 1;
      await p.get(1);
      sdk.failures = 1;
      await p.put(1);
      expect(of('retry', events).map(({ name }) => name)).toEqual(['sdk.get', 'sdk']);
    });
  });

  it('obeys overrides by the name, and by name and method', async () => {
    @Injectable()
    class Client {
      readonly sdk: Sdk;
      constructor(resilience: ResilienceService) {
        const options = { name: 'sdk', methods: { get: twice }, '*': twice };
        this.sdk = resilience.protect(new Sdk(), options);
      }
    }
    const { app } = await boot({
      providers: [Client],
      resilience: {
        ...atOnce.resilience,
        overrides: { sdk: { retry: { maxRetries: 0 } }, 'sdk.get': { retry: { maxRetries: 1 } } },
      },
    });
    const { sdk } = app.get(Client);
    sdk.failures = 9;
    await sdk.get(1).catch(() => {});
    await sdk.put(1).catch(() => {});
    expect(sdk.calls).toEqual(['get 1', 'get 1', 'put 1']);
  });

  it('skips a method with empty policies', async () => {
    const sdk = new Sdk();
    const p = (await service()).protect(sdk, { name: 'sdk', methods: { get: {} }, '*': twice });
    sdk.failures = 1;
    await expect(p.get(1)).rejects.toThrow('down');
  });

  describe('mistakes', () => {
    async function problemsOf(use: (s: ResilienceService) => unknown): Promise<string> {
      @Injectable()
      class Client {
        constructor(resilience: ResilienceService) {
          use(resilience);
        }
      }
      return String(await errorOf(() => boot({ providers: [Client] })));
    }

    it('are reported at bootstrap, all at once', async () => {
      const told = await problemsOf((s) => {
        s.protect(new Sdk(), { name: 'a', methods: { gett: twice, limits: twice } as never });
        s.protect(new Sdk(), { name: 'b', methods: { get: { retry: { maxRetries: -1 } } } });
        s.protect(new Sdk(), { name: 'c', methods: { get: { fallback: 'spare' } } });
        s.protect(new Sdk(), { name: 'd' });
        s.protect(new Sdk(), { name: '', '*': 5, metods: {} } as never);
        s.protect(null as never, { name: 'e', '*': twice });
        s.protect(new Sdk(), { name: 'f', '*': 'nowhere' });
        s.protect(new Sdk(), { name: 'g', '*': twice });
        s.protect(new Sdk(), { name: 'g', '*': breaker });
        s.protect({ files: 5 }, { name: 'h', '*': twice, members: ['files'] });
        s.protect(new Sdk(), { name: 'i', '*': { fallback: staleIfError({ ttl: '1m' }) } });
        s.protect(new Sdk(), { name: 'j', methods: { '*': twice } as never });
        s.protect(new Sdk(), { name: 'k', '*': { retri: {} } } as never);
        s.protect(new Sdk(), undefined as never);
      });
      for (const line of [
        "protect 'a': methods.gett: the object has no such method; did you mean get?",
        "protect 'a': methods.limits: that is { max: 5 }, not a method",
        "protect 'b.get' retry: maxRetries is -1",
        "protect 'c.get' fallback: handler is 'spare'; use a function; a method name works only on decorated methods",
        "protect 'd': protects nothing; give policies to methods, or to all with '*'",
        "protect '': name is ''; use a non-empty string",
        "protect '': '*' is 5; use an object with options by policy, or the name of a pipeline",
        'metods is not an option',
        "protect 'e': the object to protect is null; use an object",
        "protect 'f': uses pipeline 'nowhere'",
        "protect 'g': is already protected with different options",
        "protect 'h': members has 'files', which is 5; use the path of an object",
        "protect 'i' fallback: staleIfError in a pipeline needs a key function",
        "protect 'j': methods is",
        `'*' has "retri", which is not a policy`,
        "protect undefined: the options are undefined; use { name, methods, '*' }",
      ]) {
        expect(told).toContain(line);
      }
    });

    it('are thrown at once after the start', async () => {
      const s = await service();
      expect(() => s.protect(new Sdk(), { name: 'a', methods: { gett: twice } as never })).toThrow(
        'did you mean get?',
      );
    });

    it('include stale results without a key once there are several objects', async () => {
      const stale = { fallback: staleIfError({ ttl: '1m' }) };
      const told = await problemsOf((s) => {
        for (const sdk of [new Sdk(), new Sdk()]) {
          s.protect(sdk, { name: 'sdk', methods: { get: stale } });
        }
      });
      expect(told).toContain('several objects are protected under this name');
    });
  });

  it('accepts the methods that are asynchronous, and no others', async () => {
    const s = await service();
    const sdk = new Sdk();
    s.protect(sdk, { name: '1', methods: { get: twice, find: twice, watch: twice, scan: twice } });
    s.protect(sdk, { name: '2', methods: { get: { fallback: fallbackValue('x') }, connect: {} } });
    const wrong = (): void => {
      // @ts-expect-error -- synchronous
      s.protect(sdk, { name: '3', methods: { total: twice } });
      // @ts-expect-error -- no such method
      s.protect(sdk, { name: '4', methods: { gett: twice } });
      // @ts-expect-error -- no method
      s.protect(sdk, { name: '5', methods: { limits: twice } });
    };
    expect(wrong).toBeInstanceOf(Function);
  });
});
