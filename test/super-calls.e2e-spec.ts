import { Injectable } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, Retry, Timeout, constant } from '../src/index.js';
import { boot, closeAll, of, withAttempts } from './support/boot.js';
import { outcome, settle } from './support/wait.js';

afterEach(closeAll);

/** The requests that each breaker has counted. */
function requests({ registry }: Pick<Awaited<ReturnType<typeof boot>>, 'registry'>): object {
  return Object.fromEntries(
    registry.names().map((name) => [name, registry.get(name).counts.requests]),
  );
}

describe('super.m() of a decorated method', () => {
  it('has a bulkhead of its own, so that it does not wait for its own caller', async () => {
    class Parent {
      @Bulkhead({ maxConcurrent: 1, maxQueue: 1 })
      async m(): Promise<string> {
        return 'parent';
      }
    }
    @Injectable()
    class Child extends Parent {
      @Bulkhead({ maxConcurrent: 1, maxQueue: 1 })
      override async m(): Promise<string> {
        return `${await super.m()} and child`;
      }
    }
    const { app } = await boot({ providers: [Child] });
    const call = outcome(app.get(Child).m());
    await settle();
    expect(await call).toEqual({ value: 'parent and child' });
  });

  it('has a breaker of its own, with options of its own, named after the class that declares it', async () => {
    class Parent {
      @CircuitBreaker({ consecutiveFailures: 3 })
      async m(fail: boolean): Promise<void> {
        if (fail) throw new Error('down');
      }
    }
    @Injectable()
    class Child extends Parent {
      @CircuitBreaker({ consecutiveFailures: 1, openFor: '5s' })
      override async m(fail: boolean): Promise<void> {
        await super.m(fail);
      }
    }
    const { app, clock, registry } = await boot({ providers: [Child] });
    await expect(app.get(Child).m(true)).rejects.toThrow('down');
    expect(registry.get('Child.m').state).toBe('open');
    expect(registry.get('Parent.m').state).toBe('closed');
    await clock.advance(5_000);
    await app.get(Child).m(false);
    expect(registry.get('Child.m').state).toBe('closed');
    expect(requests({ registry })).toMatchObject({ 'Parent.m': 2 });
  });

  it('shares that state with instances of the parent', async () => {
    @Injectable()
    class Parent {
      @CircuitBreaker()
      async m(): Promise<void> {}
    }
    @Injectable()
    class Child extends Parent {
      @CircuitBreaker()
      override async m(): Promise<void> {
        await super.m();
      }
    }
    const booted = await boot({ providers: [Parent, Child] });
    await booted.app.get(Parent).m();
    await booted.app.get(Child).m();
    expect(requests(booted)).toEqual({ 'Parent.m': 2, 'Child.m': 1 });
  });

  it('keeps only the policies of the parent when the override has none', async () => {
    class Parent {
      @CircuitBreaker()
      async m(): Promise<void> {}
    }
    @Injectable()
    class Child extends Parent {
      override async m(): Promise<void> {
        await super.m();
      }
    }
    const booted = await boot({ providers: [Child] });
    await booted.app.get(Child).m();
    expect(requests(booted)).toEqual({ 'Parent.m': 1 });
  });

  it('works over several levels, and for another method than the one that calls it', async () => {
    class One {
      @CircuitBreaker()
      async m(): Promise<string> {
        return '1';
      }
      @CircuitBreaker()
      async other(): Promise<string> {
        return 'other';
      }
    }
    class Two extends One {
      @CircuitBreaker()
      override async m(): Promise<string> {
        return `${await super.m()}2`;
      }
    }
    class Between extends Two {}
    @Injectable()
    class Three extends Between {
      @CircuitBreaker()
      override async m(): Promise<string> {
        return `${await super.m()}3${await super.other()}`;
      }
    }
    const booted = await boot({ providers: [Three] });
    await expect(booted.app.get(Three).m()).resolves.toBe('123other');
    expect(requests(booted)).toEqual({ 'Three.m': 1, 'Two.m': 1, 'One.m': 1, 'Three.other': 1 });
  });

  it('works for static methods and under symbols', async () => {
    const key = Symbol('m');
    class Parent {
      @CircuitBreaker()
      static async make(): Promise<number> {
        return 1;
      }
      @CircuitBreaker()
      async [key](): Promise<number> {
        return 1;
      }
    }
    @Injectable()
    class Child extends Parent {
      @CircuitBreaker()
      static override async make(): Promise<number> {
        return (await super.make()) + 1;
      }
      @CircuitBreaker()
      override async [key](): Promise<number> {
        return (await super[key]()) + 1;
      }
    }
    const booted = await boot({ providers: [Child] });
    await expect(Child.make()).resolves.toBe(2);
    await expect(booted.app.get(Child)[key]()).resolves.toBe(2);
    expect(requests(booted)).toEqual({
      'Child.make': 1,
      'Parent.make': 1,
      'Child.Symbol(m)': 1,
      'Parent.Symbol(m)': 1,
    });
  });

  it('is planned and checked at bootstrap, also when the parent is not a provider, and can be overridden', async () => {
    class Parent {
      @Retry({ maxRetries: 5, backoff: constant(0) })
      async m(): Promise<never> {
        throw new Error('down');
      }
    }
    @Injectable()
    class Child extends Parent {
      @Timeout('1s')
      override async m(): Promise<never> {
        return super.m();
      }
    }
    const overrides = { 'Parent.m': { retry: { maxRetries: 1 } } };
    const { app, clock } = await boot({ providers: [Child], resilience: { overrides } });
    const events = withAttempts(app);
    const call = outcome(app.get(Child).m());
    await clock.advance(100);
    expect((await call).error).toEqual(new Error('down'));
    const attempts = of('attempt', events).filter(({ name }) => name === 'Parent.m');
    expect(attempts).toHaveLength(2);
    const wrong = { 'Parent.m': { retry: { maxRetries: -1 } } };
    await expect(boot({ providers: [Child], resilience: { overrides: wrong } })).rejects.toThrow(
      "Parent.m @Retry: maxRetries (from overrides['Parent.m']) is -1",
    );
  });

  it('is distinguished from a call through a spy on the prototype of the subclass', async () => {
    class Parent {
      @CircuitBreaker()
      async m(): Promise<void> {}
    }
    @Injectable()
    class Inheriting extends Parent {}
    @Injectable()
    class Overriding extends Parent {
      @CircuitBreaker()
      override async m(): Promise<void> {
        await super.m();
      }
    }
    jest.spyOn(Inheriting.prototype, 'm');
    jest.spyOn(Overriding.prototype, 'm');
    const booted = await boot({ providers: [Inheriting, Overriding] });
    await booted.app.get(Inheriting).m();
    await booted.app.get(Overriding).m();
    expect(requests(booted)).toEqual({ 'Inheriting.m': 1, 'Overriding.m': 1, 'Parent.m': 1 });
    jest.restoreAllMocks();
  });
});

describe('super.m() of a method that the policies of the class cover', () => {
  @CircuitBreaker()
  @Retry({ maxRetries: 2, backoff: constant(0) })
  class Parent {
    runs = 0;
    async m(): Promise<void> {
      this.runs += 1;
      throw new Error('down');
    }
    async n(): Promise<void> {}
  }

  it('runs under those that cover the override, which do not apply twice', async () => {
    @Injectable()
    class Child extends Parent {
      override async m(): Promise<void> {
        await super.m();
      }
    }
    const booted = await boot({ providers: [Child] });
    const call = outcome(booted.app.get(Child).m());
    await booted.clock.advance(100);
    await call;
    expect(booted.app.get(Child).runs).toBe(3);
    expect(booted.registry.get('Child.m').counts.requests).toBe(3);
    expect(booted.registry.has('Parent.m')).toBe(false);
  });

  it('has them when the override is not covered', async () => {
    @Injectable()
    class Child extends Parent {
      override n(): Promise<void> {
        return super.n();
      }
    }
    const booted = await boot({ providers: [Child] });
    await booted.app.get(Child).n();
    expect(requests(booted)).toMatchObject({ 'Parent.n': 1 });
    expect(booted.registry.has('Child.n')).toBe(false);
  });

  it('keeps its own policies in any case', async () => {
    @Retry({ maxRetries: 2 })
    class Mixed {
      @CircuitBreaker()
      async m(): Promise<void> {}
    }
    @Injectable()
    class Child extends Mixed {
      override async m(): Promise<void> {
        await super.m();
      }
    }
    const booted = await boot({ providers: [Mixed, Child] });
    await booted.app.get(Child).m();
    expect(requests(booted)).toEqual({ 'Mixed.m': 1 });
    expect(booted.service.describe(Child, 'm').stages).toEqual(['retry']);
    expect(booted.service.describe(Mixed, 'm').stages).toEqual(['retry', 'circuit breaker']);
  });
});
