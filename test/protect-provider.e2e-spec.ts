import {
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  type OnModuleDestroy,
  type OnModuleInit,
  type Provider,
  Scope,
} from '@nestjs/common';
import { ContextIdFactory, LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { HttpModule, HttpService } from '@nestjs/axios';
import { CircuitOpenError, ResilienceModule, constant, protectProvider } from '../src/index.js';
import { systemClock } from '../src/common/clock.js';
import { boot, closeAll, nestMajor } from './support/boot.js';
import { errorOf } from './outcomes/support.js';

afterEach(closeAll);

const SDK = Symbol('SDK');
const twice = { retry: { maxRetries: 1, backoff: constant(0) } };
const breaker = { circuitBreaker: { consecutiveFailures: 1 } };
const options = { name: 'sdk', methods: { get: twice } };
const resilience = { clock: systemClock };

@Injectable()
class Sdk implements OnModuleInit, OnModuleDestroy {
  #failures = 1;
  hooks: string[] = [];

  async get(): Promise<string> {
    if (this.#failures-- > 0) throw new Error('down');
    return 'got';
  }

  fail(): void {
    this.#failures = 1;
  }

  onModuleInit(): void {
    this.hooks.push('init');
  }

  onModuleDestroy(): void {
    this.hooks.push('destroy');
  }
}

@Injectable()
class Client {
  constructor(@Inject(SDK) readonly sdk: Sdk) {}
}

/** Nest 10 calls the hooks of transient providers on their prototypes. */
@Injectable()
class SdkWithoutHooks extends Sdk {
  override onModuleInit(): void {}
  override onModuleDestroy(): void {}
}

@Injectable()
class OtherSdk extends Sdk {}

const providers: Record<string, Provider[]> = {
  useClass: [{ provide: SDK, useClass: Sdk }],
  useFactory: [{ provide: SDK, useFactory: () => new Sdk() }],
  'an asynchronous factory': [
    { provide: SDK, useFactory: async () => (await new Promise(setImmediate), new Sdk()) },
  ],
  'a factory with dependencies': [
    Sdk,
    {
      provide: SDK,
      inject: [Sdk, { token: 'none', optional: true }],
      useFactory: (sdk: Sdk) => sdk,
    },
  ],
  useValue: [{ provide: SDK, useValue: undefined }],
  useExisting: [Sdk, { provide: SDK, useExisting: Sdk }],
};

describe('protectProvider()', () => {
  describe.each(Object.keys(providers))('of %s', (kind) => {
    const list = (): Provider[] =>
      kind === 'useValue' ? [{ provide: SDK, useValue: new Sdk() }] : providers[kind]!;

    it.each(['before', 'after'])('protects the injected object, listed %s it', async (place) => {
      const own = protectProvider(SDK, options);
      const { app } = await boot({
        resilience,
        providers: place === 'before' ? [own, ...list(), Client] : [Client, ...list(), own],
      });
      const { sdk } = app.get(Client);
      expect(await sdk.get()).toBe('got');
      expect(app.get(SDK)).toBe(sdk);
      expect(sdk).toBeInstanceOf(Sdk);
    });

    it('leaves the hooks of the original to Nest, once each', async () => {
      const { app } = await boot({
        resilience,
        providers: [Client, ...list(), protectProvider(SDK, options)],
      });
      const { sdk } = app.get(Client);
      await app.close();
      if (kind === 'a factory with dependencies') return; // Nest calls them for both providers
      expect(sdk.hooks).toEqual(['init', 'destroy']);
    });
  });

  it('protects a class under its own name', async () => {
    @Injectable()
    class User {
      constructor(readonly sdk: Sdk) {}
    }
    const { app } = await boot({
      resilience,
      providers: [User, Sdk, protectProvider(Sdk, options)],
    });
    expect(await app.get(User).sdk.get()).toBe('got');
    expect(await app.get(Sdk).get()).toBe('got');
  });

  it.each([
    ['a request', Scope.REQUEST],
    ['each consumer', Scope.TRANSIENT],
  ])('protects a separate instance for %s', async (_what, scope) => {
    @Injectable()
    class User {
      constructor(@Inject(SDK) readonly sdk: Sdk) {}
    }
    @Injectable()
    class Another {
      constructor(@Inject(SDK) readonly sdk: Sdk) {}
    }
    const { app } = await boot({
      resilience,
      providers: [
        User,
        Another,
        { provide: SDK, useClass: SdkWithoutHooks, scope },
        protectProvider(SDK, options),
      ],
    });
    const id = ContextIdFactory.create();
    const one = await app.resolve(User, id);
    const other = await app.resolve(Another, scope === Scope.REQUEST ? undefined : id);
    expect(await one.sdk.get()).toBe('got');
    expect(await other.sdk.get()).toBe('got');
    expect(one.sdk).not.toBe(other.sdk);
  });

  it('protects request-scoped providers', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {}
    const { app } = await boot({
      resilience,
      providers: [
        Tenant,
        { provide: SDK, inject: [Tenant], useFactory: () => new Sdk() },
        protectProvider(SDK, options),
      ],
    });
    const [one, other] = [await app.resolve<Sdk>(SDK), await app.resolve<Sdk>(SDK)];
    expect([await one.get(), await other.get()]).toEqual(['got', 'got']);
    expect(one).not.toBe(other);
  });

  it('shares state between the instances of a token', async () => {
    const { app } = await boot({
      resilience,
      providers: [
        { provide: SDK, useClass: Sdk, scope: Scope.REQUEST },
        protectProvider(SDK, { name: 'sdk', methods: { get: breaker } }),
      ],
    });
    await (await app.resolve<Sdk>(SDK)).get().catch(() => {});
    await expect((await app.resolve<Sdk>(SDK)).get()).rejects.toBeInstanceOf(CircuitOpenError);
  });

  describe('imported with forFeature()', () => {
    class SdkModule {}
    Module({ providers: [{ provide: SDK, useFactory: () => new Sdk() }], exports: [SDK] })(
      SdkModule,
    );

    it.each([
      ['first', (feature: ModuleMetadata['imports']) => [...feature!, SdkModule]],
      ['last', (feature: ModuleMetadata['imports']) => [SdkModule, ...feature!]],
    ])('%s, protects a token of another module', async (_place, imports) => {
      const feature = [ResilienceModule.forFeature([protectProvider(SDK, options)])];
      const { app } = await boot({ resilience, imports: imports(feature), providers: [Client] });
      expect(await app.get(Client).sdk.get()).toBe('got');
    });

    it('finds the token behind a module that exports it again', async () => {
      class Outer {}
      Module({ imports: [SdkModule], exports: [SdkModule] })(Outer);
      const feature = ResilienceModule.forFeature([protectProvider(SDK, options)]);
      const { app } = await boot({ resilience, imports: [Outer, feature], providers: [Client] });
      expect(await app.get(Client).sdk.get()).toBe('got');
    });

    it('protects several tokens, each in its own way', async () => {
      const feature = ResilienceModule.forFeature([
        protectProvider(SDK, options),
        protectProvider(HttpService, { name: 'http', methods: { get: twice } }),
      ]);
      const { app, registry: _registry } = await boot({
        resilience,
        imports: [HttpModule, SdkModule, feature],
        providers: [Client],
      });
      expect(await app.get(Client).sdk.get()).toBe('got');
      expect(app.get(HttpService)).toBeInstanceOf(HttpService);
    });
  });

  it('may protect a token twice, under two names', async () => {
    const { app, registry } = await boot({
      resilience,
      providers: [
        Client,
        { provide: SDK, useClass: Sdk },
        protectProvider(SDK, options),
        protectProvider(SDK, { name: 'outer', '*': breaker }),
      ],
    });
    expect(await app.get(Client).sdk.get()).toBe('got');
    expect(registry.get('outer').snapshot().counts.successes).toBe(1);
  });

  it('protects a replacement by a test', async () => {
    const original = jest.fn();
    const module = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ logger: false, ...resilience })],
      providers: [
        Client,
        { provide: SDK, useFactory: () => original() },
        protectProvider(SDK, options),
      ],
    })
      .overrideProvider(SDK)
      .useValue(new OtherSdk())
      .compile();
    await module.init();
    const { sdk } = module.get(Client);
    expect(sdk).toBeInstanceOf(OtherSdk);
    expect(original).not.toHaveBeenCalled();
    expect(await sdk.get()).toBe('got');
    await module.close();
  });

  it('serves two applications of one module', async () => {
    const parts = {
      resilience,
      providers: [
        Client,
        { provide: SDK, useFactory: () => new Sdk() },
        protectProvider(SDK, { name: 'sdk', methods: { get: breaker } }),
      ],
    };
    const [one, other] = [await boot(parts), await boot(parts)];
    await one.app
      .get(Client)
      .sdk.get()
      .catch(() => {});
    expect(one.registry.get('sdk.get').state).toBe('open');
    expect(other.registry.get('sdk.get').state).toBe('closed');
  });

  describe('reports at bootstrap', () => {
    it('a token without a provider, and wrong options', async () => {
      const told = String(
        await errorOf(() =>
          boot({
            providers: [
              protectProvider(SDK, {
                name: 'sdk',
                methods: { get: { retry: { maxRetries: -1 } } },
              }),
            ],
          }),
        ),
      );
      expect(told).toContain('protectProvider(Symbol(SDK)): no provider has this token');
      expect(told).toContain("protect 'sdk.get' retry: maxRetries is -1");
    });

    it('a method that does not exist', async () => {
      const wrong = protectProvider<Sdk>(SDK, { name: 'sdk', methods: { gett: twice } as never });
      const booted = boot({ providers: [{ provide: SDK, useClass: Sdk }, wrong] });
      await expect(booted).rejects.toThrow('did you mean get?');
    });

    it('a value that is not an object', async () => {
      const booted = boot({
        providers: [{ provide: SDK, useValue: 5 }, protectProvider(SDK, options)],
      });
      await expect(booted).rejects.toThrow(
        'the provider returned 5; only objects can be protected',
      );
    });

    it('on loading, that a lazily loaded module has no such token', async () => {
      class Lazy {}
      Module({ providers: [protectProvider(SDK, options)] })(Lazy);
      const { app } = await boot();
      const loading = app.get(LazyModuleLoader).load(() => Lazy);
      await expect(loading).rejects.toThrow('no provider has this token');
    });

    it('that the module is missing', async () => {
      const { NestFactory } = await import('@nestjs/core');
      class AppModule {}
      Module({ providers: [{ provide: SDK, useClass: Sdk }, protectProvider(SDK, options)] })(
        AppModule,
      );
      await expect(
        NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false }),
      ).rejects.toThrow('ResilienceModule.forRoot() is not imported');
    });
  });

  it('knows the methods of a class', () => {
    protectProvider(Sdk, { name: 'a', methods: { get: twice } });
    protectProvider('token', { name: 'b', methods: { anything: twice } });
    // @ts-expect-error -- not asynchronous
    protectProvider(Sdk, { name: 'c', methods: { fail: twice } });
    // @ts-expect-error -- not asynchronous
    protectProvider<Sdk>('token', { name: 'd', methods: { fail: twice } });
    expect(nestMajor).toBeGreaterThanOrEqual(10);
  });
});
