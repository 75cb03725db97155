import { Global, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  type ResilienceModuleOptions,
  Retry,
  Timeout,
  constant,
  fallbackValue,
  overridesFromEnv,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);

@Injectable()
class S {
  @Retry({ config: 'patient', maxRetries: 3 })
  async decorated(): Promise<void> {}

  @Retry({ config: 'patient' })
  async configured(): Promise<void> {}

  @Retry()
  async plain(): Promise<void> {}

  @CircuitBreaker('shelf')
  async broken(): Promise<void> {}
}

@Injectable()
class Other {
  @Retry()
  async plain(): Promise<void> {}
}

const defaults = { retry: { maxRetries: 1, maxElapsedTime: '1m' } } as const;
const configs = { patient: { retry: { maxRetries: 2 } } };

async function optionsOf(
  method: string,
  resilience: ResilienceModuleOptions,
  type: new () => object = S,
): Promise<unknown> {
  const { service } = await boot({
    providers: [S, Other],
    resilience: { configs, ...resilience },
  });
  return service.describe(type, method).policies[0]?.options;
}

describe('among several layers of options, the later one wins:', () => {
  it("the library's defaults", async () => {
    await expect(optionsOf('plain', {})).resolves.toEqual({});
  });

  it('forRoot({ defaults })', async () => {
    await expect(optionsOf('plain', { defaults })).resolves.toEqual({
      maxRetries: 1,
      maxElapsedTime: '1m',
    });
  });

  it('a named configuration', async () => {
    await expect(optionsOf('configured', { defaults })).resolves.toEqual({
      maxRetries: 2,
      maxElapsedTime: '1m',
    });
  });

  it('the decorator', async () => {
    await expect(optionsOf('decorated', { defaults })).resolves.toEqual({
      maxRetries: 3,
      maxElapsedTime: '1m',
    });
  });

  it.each([
    [4, { '*': { retry: { maxRetries: 4 } } }],
    [5, { '*': { retry: { maxRetries: 4 } }, S: { retry: { maxRetries: 5 } } }],
    [
      6,
      {
        // The more specific wins, in any order.
        'S.decorated': { retry: { maxRetries: 6 } },
        S: { retry: { maxRetries: 5 } },
        '*': { retry: { maxRetries: 4 } },
      },
    ],
  ])("overrides by '*', by class, by method (%i)", async (maxRetries, overrides) => {
    await expect(optionsOf('decorated', { defaults, overrides })).resolves.toEqual({
      maxRetries,
      maxElapsedTime: '1m',
    });
  });

  it('an override of one class leaves another one alone', async () => {
    const overrides = { S: { retry: { maxRetries: 5 } } };
    await expect(optionsOf('plain', { overrides }, Other)).resolves.toEqual({});
  });

  it('undefined, as from a missing variable, has no effect', async () => {
    const overrides = { S: { retry: { maxRetries: undefined as never } } };
    await expect(optionsOf('decorated', { overrides })).resolves.toMatchObject({ maxRetries: 3 });
  });
});

describe("a breaker's name", () => {
  it('also names its configuration', async () => {
    const options = await optionsOf('broken', {
      configs: { ...configs, shelf: { circuitBreaker: { openFor: '9s' } } },
    });
    expect(options).toEqual({ name: 'shelf', openFor: '9s' });
  });

  it('may come from an override; the override for that name then applies', async () => {
    class Shelf {
      @CircuitBreaker({ name: 'shelf', openFor: '5s' })
      async books(): Promise<void> {}
    }
    const overrides = {
      'Shelf.books': { circuitBreaker: { name: 'rack' } },
      rack: { circuitBreaker: { openFor: '9s', minimumCalls: 3 } },
    } as const;
    const { registry } = await boot({ providers: [Shelf], resilience: { overrides } });
    expect(registry.names()).toEqual(['rack']);
    expect(registry.get('rack').snapshot().limits).toMatchObject({
      openForMs: 9_000,
      minimumCalls: 3,
    });
  });

  it('may come from a variable', async () => {
    class Shelf {
      @CircuitBreaker({ openFor: '5s' })
      async books(): Promise<void> {}
    }
    const { registry } = await boot({
      providers: [Shelf],
      resilience: {
        overrides: [
          { rack: { circuitBreaker: { openFor: '9s' } } },
          overridesFromEnv({ RESILIENCE__SHELF__CIRCUIT_BREAKER__NAME: 'rack' }),
        ],
      },
    });
    expect(registry.get('rack').snapshot().limits).toMatchObject({ openForMs: 9_000 });
  });

  it('needs no configuration', async () => {
    await expect(optionsOf('broken', {})).resolves.toEqual({ name: 'shelf' });
  });
});

describe('a breaker that one method defines and another one names', () => {
  @Injectable()
  class Definer {
    @CircuitBreaker({ name: 'both', consecutiveFailures: 1 })
    async m(): Promise<never> {
      throw new Error('down');
    }
  }

  it('takes an override of all methods, which is not a definition of the name', async () => {
    @Injectable()
    class Namer {
      @CircuitBreaker('both')
      async m(): Promise<void> {}
    }
    const { app, registry } = await boot({
      providers: [Definer, Namer],
      resilience: { overrides: { '*': { circuitBreaker: { openFor: '1s' } } } },
    });
    await outcome(app.get(Definer).m());
    await expect(app.get(Namer).m()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(registry.get('both').snapshot().retryAfterMs).toBe(1_000);
  });

  it('has its definition even for a call before all else, while the application starts', async () => {
    @Injectable()
    class Early implements OnModuleInit {
      @CircuitBreaker('both')
      async m(): Promise<void> {}
      async onModuleInit(): Promise<void> {
        await this.m();
      }
    }
    @Global()
    @Module({ providers: [Early] })
    class EarlyModule {}
    const { app } = await boot({ imports: [EarlyModule], providers: [Definer] });
    await outcome(app.get(Definer).m());
    await expect(app.get(Early).m()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  });
});

describe('halfOpen', () => {
  it('is merged option by option', async () => {
    @Injectable()
    class Shelf {
      @CircuitBreaker({ halfOpen: { maxCalls: 2 } })
      async books(): Promise<void> {}
    }
    const { service } = await boot({
      providers: [Shelf],
      resilience: {
        defaults: { circuitBreaker: { halfOpen: { maxDuration: '1s', successThreshold: 4 } } },
        overrides: { Shelf: { circuitBreaker: { halfOpen: { successThreshold: 3 } } } },
      },
    });
    expect(service.describe(Shelf, 'books').policies[0]!.options).toEqual({
      halfOpen: { maxCalls: 2, maxDuration: '1s', successThreshold: 3 },
    });
  });
});

describe('an override', () => {
  @Injectable()
  class Shelf {
    calls = 0;

    @Fallback(fallbackValue('answer'))
    @Retry({ maxRetries: 2, backoff: constant(0) })
    @CircuitBreaker('shelf')
    @Timeout('1s')
    async books(): Promise<string> {
      this.calls += 1;
      throw new Error('down');
    }

    async undecorated(): Promise<void> {}
  }

  it('with enabled: false switches a policy off', async () => {
    const { app, clock, registry, service } = await boot({
      providers: [Shelf],
      resilience: {
        overrides: {
          '*': { circuitBreaker: { enabled: false } },
          Shelf: { retry: { enabled: false } },
          'Shelf.books': { fallback: { enabled: false }, timeout: { enabled: false } },
        },
      },
    });
    const call = outcome(app.get(Shelf).books());
    await clock.advance(10_000);
    expect((await call).error).toEqual(new Error('down'));
    expect(app.get(Shelf).calls).toBe(1);
    expect(service.describe(Shelf, 'books')).toEqual({
      name: 'Shelf.books',
      stages: [],
      policies: [],
    });
    expect(registry.names()).toEqual([]);
  });

  it('that only changes options does not switch on a policy that another one has switched off', async () => {
    const { service } = await boot({
      providers: [Shelf],
      resilience: {
        overrides: {
          '*': { retry: { enabled: false } },
          'Shelf.books': { retry: { maxRetries: 1 } },
        },
      },
    });
    expect(service.describe(Shelf, 'books').stages).not.toContain('retry');
  });

  it('of one policy leaves the others', async () => {
    const { service } = await boot({
      providers: [Shelf],
      resilience: { overrides: { '*': { retry: { enabled: false } } } },
    });
    const { stages } = service.describe(Shelf, 'books');
    expect(stages).toEqual(['fallback', 'circuit breaker', 'attempt timeout']);
  });

  it('changes how calls run', async () => {
    const { app, clock } = await boot({
      providers: [Shelf],
      resilience: { overrides: { 'Shelf.books': { retry: { maxRetries: 4 } } } },
    });
    const call = app.get(Shelf).books();
    await clock.advance(1_000);
    await expect(call).resolves.toBe('answer');
    expect(app.get(Shelf).calls).toBe(5);
  });

  it('adds no policy to a method that does not have it', async () => {
    @Injectable()
    class Timed {
      @Timeout('1s')
      async m(): Promise<void> {}
    }
    const { service } = await boot({
      providers: [Timed],
      resilience: { overrides: { '*': { retry: { maxRetries: 9 } } } },
    });
    expect(service.describe(Timed, 'm').stages).toEqual(['attempt timeout']);
  });

  it('takes the short forms of decorators', async () => {
    @Injectable()
    class Timed {
      @Timeout('1s')
      @CircuitBreaker()
      async m(): Promise<void> {}
    }
    const { registry, service } = await boot({
      providers: [Timed],
      resilience: {
        overrides: { Timed: { timeout: '3s', circuitBreaker: 'renamed' } },
      },
    });
    expect(service.describe(Timed, 'm').policies).toEqual(
      expect.arrayContaining([
        { kind: 'timeout', options: { attempt: '3s' } },
        { kind: 'circuitBreaker', options: { name: 'renamed' } },
      ]),
    );
    expect(registry.names()).toEqual(['renamed']);
  });

  it('gives methods that share a breaker the same options', async () => {
    @Injectable()
    class Sharing {
      @CircuitBreaker('both')
      async one(): Promise<void> {}
      @CircuitBreaker('both')
      async two(): Promise<void> {}
    }
    const overrides = { '*': { circuitBreaker: { consecutiveFailures: 1 } } };
    const { app, registry } = await boot({ providers: [Sharing], resilience: { overrides } });
    await app.get(Sharing).one();
    await app.get(Sharing).two();
    expect(registry.get('both').counts.requests).toBe(2);
  });
});
