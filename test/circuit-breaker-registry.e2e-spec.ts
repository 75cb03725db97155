import { Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  CircuitBreakerRegistry,
  ResilienceEvents,
  Retry,
  constant,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);

describe('CircuitBreakerRegistry', () => {
  @Injectable()
  class One {
    @CircuitBreaker({ name: 'shared', consecutiveFailures: 2 })
    async m(): Promise<never> {
      throw new Error('down');
    }
    @CircuitBreaker()
    async own(): Promise<void> {}
    async undecorated(): Promise<void> {}
  }
  @Injectable()
  class Two {
    @CircuitBreaker('shared')
    async m(): Promise<void> {}
  }

  it('shares a breaker between the methods that name it', async () => {
    const { app } = await boot({ providers: [Two, One] });
    for (let i = 0; i < 2; i++) await outcome(app.get(One).m());
    await expect(app.get(Two).m()).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
      policyName: 'shared',
    });
  });

  it('has breakers by name, in the order of their declaration', async () => {
    const { registry } = await boot({ providers: [One, Two] });
    expect(registry.names()).toEqual(['shared', 'One.own']);
    expect(Array.from(registry, ({ name, state }) => [name, state])).toEqual([
      ['shared', 'closed'],
      ['One.own', 'closed'],
    ]);
    expect(registry.has('shared')).toBe(true);
    expect(registry.has('unknown')).toBe(false);
    expect(registry.get('One.own').name).toBe('One.own');
  });

  it('lists known names when asked for an unknown one', async () => {
    const { registry } = await boot({ providers: [One] });
    expect(() => registry.get('unknown')).toThrow(
      'there is no circuit breaker "unknown"; there are "shared", "One.own"',
    );
    const { registry: empty } = await boot();
    expect(() => empty.get('unknown')).toThrow(
      'there is no circuit breaker "unknown"; there are none',
    );
  });

  it('lists breakers by key as they come into use', async () => {
    @Injectable()
    class Keyed {
      @CircuitBreaker({ name: 'host', key: (host: string) => host })
      async m(_host: string): Promise<void> {}
    }
    const { app, registry } = await boot({ providers: [Keyed] });
    expect(registry.names()).toEqual([]);
    await app.get(Keyed).m('a');
    await app.get(Keyed).m('b');
    await app.get(Keyed).m('a');
    expect(registry.names()).toEqual(['host[a]', 'host[b]']);
    expect(registry.get('host[a]').counts.requests).toBe(2);
  });

  it('describes methods, and throws when one is not decorated', async () => {
    const { service } = await boot({ providers: [One] });
    expect(service.describe(One, 'm')).toEqual({
      name: 'One.m',
      stages: ['circuit breaker'],
      policies: [{ kind: 'circuitBreaker', options: { name: 'shared', consecutiveFailures: 2 } }],
    });
    expect(() => service.describe(One, 'undecorated')).toThrow('One.undecorated is not decorated');
  });

  it.each([
    ['a name in place of a class', 'books', undefined, `describe('books', undefined)`],
    ['an instance', {}, 'm', `describe({}, 'm')`],
    ['a symbol in place of a name', class {}, Symbol('m'), ', Symbol(m))'],
  ])('explains what can be described when given %s', async (_, type, method, told) => {
    const { service } = await boot();
    const describing = (): unknown => service.describe(type as never, method as never);
    expect(describing).toThrow(TypeError);
    expect(describing).toThrow(
      `${told}: use a class and the name of a method; for a command, command.describe()`,
    );
  });

  it('controls breakers: forced open, then cleared', async () => {
    const { app, registry } = await boot({ providers: [One] });
    registry.get('One.own').forceOpen({ by: 'anna', reason: 'migration' });
    await expect(app.get(One).own()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    registry.get('One.own').clearOverride();
    await expect(app.get(One).own()).resolves.toBeUndefined();
  });

  it('forced open during a call does not change its error, which ends it instead of a retry', async () => {
    @Injectable()
    class Forced {
      @Retry({ backoff: constant('1s') })
      @CircuitBreaker('forced')
      async m(): Promise<never> {
        booted.registry.get('forced').forceOpen();
        throw new Error('down');
      }
    }
    const booted = await boot({ providers: [Forced] });
    const call = outcome(booted.app.get(Forced).m());
    await booted.clock.advance(1_000);
    expect((await call).error).toEqual(new Error('down'));
  });

  it('can be injected', async () => {
    @Injectable()
    class Operations {
      constructor(
        readonly registry: CircuitBreakerRegistry,
        readonly events: ResilienceEvents,
      ) {}
    }
    const { app, registry } = await boot({ providers: [Operations, One] });
    expect(app.get(Operations).registry).toBe(registry);
    expect(app.get(Operations).events).toBe(app.get(ResilienceEvents));
  });
});
