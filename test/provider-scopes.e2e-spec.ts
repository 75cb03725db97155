import {
  Controller,
  forwardRef,
  Get,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnModuleInit,
  Optional,
  Scope,
  type Type,
} from '@nestjs/common';
import { ContextIdFactory, LazyModuleLoader, ModuleRef, NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  CircuitBreaker,
  CircuitBreakerRegistry,
  ResilienceModule,
  Retry,
  constant,
} from '../src/index.js';
import { ManualClock } from '../src/testing/index.js';
import { type Booted, appModule, boot, closeAll, watch } from './support/boot.js';
import { outcome, settle } from './support/wait.js';

afterEach(closeAll);

/** All methods of a test share this breaker: its requests are the calls that went through policies. */
const Policed = (): MethodDecorator & ReturnType<typeof CircuitBreaker> =>
  CircuitBreaker('policed');

function policedCalls({ registry }: Pick<Booted, 'registry'>): number {
  return registry.has('policed') ? registry.get('policed').counts.requests : 0;
}

class Answering {
  @Policed()
  async m(): Promise<number> {
    return 1;
  }
}

describe('policies apply once to a call of', () => {
  it('a singleton', async () => {
    @Injectable()
    class S extends Answering {}
    const booted = await boot({ providers: [S] });
    await booted.app.get(S).m();
    expect(policedCalls(booted)).toBe(1);
  });

  it.each([
    ['a request-scoped provider', { scope: Scope.REQUEST }],
    ['a transient provider', { scope: Scope.TRANSIENT }],
    ['a durable provider', { scope: Scope.REQUEST, durable: true }],
  ])('%s', async (_, options) => {
    @Injectable(options)
    class S {
      @Policed()
      async m(): Promise<void> {}
    }
    const booted = await boot({ providers: [S] });
    const one = await booted.app.resolve(S, ContextIdFactory.create());
    const two = await booted.app.resolve(S, ContextIdFactory.create());
    expect(one).not.toBe(two);
    await one.m();
    expect(policedCalls(booted)).toBe(1);
    await two.m();
    expect(policedCalls(booted)).toBe(2);
  });

  it('a transient provider inside a singleton', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Part extends Answering {}
    @Injectable()
    class Whole {
      constructor(readonly part: Part) {}
    }
    const booted = await boot({ providers: [Part, Whole] });
    await booted.app.get(Whole).part.m();
    expect(policedCalls(booted)).toBe(1);
  });

  it.each<[string, object]>([
    ['useClass', { useClass: Answering }],
    ['useFactory', { useFactory: () => new Answering() }],
    ['an asynchronous useFactory', { useFactory: async () => new Answering() }],
    ['useValue', { useValue: new Answering() }],
    ['useValue with a frozen instance', { useValue: Object.freeze(new Answering()) }],
    ['useFactory with a Proxy', { useFactory: () => new Proxy(new Answering(), {}) }],
  ])('%s', async (_, provider) => {
    const booted = await boot({ providers: [{ provide: 'S', ...provider } as never] });
    await booted.app.get<Answering>('S').m();
    expect(policedCalls(booted)).toBe(1);
  });

  it('an instance from a request-scoped factory', async () => {
    const provider = {
      provide: 'S',
      scope: Scope.REQUEST,
      useFactory: () => new Answering(),
    };
    const booted = await boot({ providers: [provider] });
    await (await booted.app.resolve<Answering>('S')).m();
    expect(policedCalls(booted)).toBe(1);
  });

  it('an alias (useExisting)', async () => {
    @Injectable()
    class S extends Answering {}
    const booted = await boot({ providers: [S, { provide: 'alias', useExisting: S }] });
    await booted.app.get<S>('alias').m();
    expect(policedCalls(booted)).toBe(1);
  });

  it('a method of an abstract base class, for each subclass', async () => {
    abstract class Base {
      @Policed()
      async m(): Promise<number> {
        return this.k();
      }
      abstract k(): number;
    }
    @Injectable()
    class One extends Base {
      k(): number {
        return 1;
      }
    }
    @Injectable()
    class Two extends Base {
      k(): number {
        return 2;
      }
    }
    const booted = await boot({ providers: [One, Two] });
    await expect(booted.app.get(One).m()).resolves.toBe(1);
    await expect(booted.app.get(Two).m()).resolves.toBe(2);
    expect(policedCalls(booted)).toBe(2);
  });

  it('a method whose undecorated override calls super', async () => {
    @Injectable()
    class S extends Answering {
      override async m(): Promise<number> {
        return (await super.m()) + 1;
      }
    }
    const booted = await boot({ providers: [S] });
    await expect(booted.app.get(S).m()).resolves.toBe(2);
    expect(policedCalls(booted)).toBe(1);
  });

  it('a method that uses private fields', async () => {
    @Injectable()
    class S {
      #secret = 7;
      @Policed()
      async m(): Promise<number> {
        return this.#secret;
      }
    }
    const booted = await boot({ providers: [S] });
    await expect(booted.app.get(S).m()).resolves.toBe(7);
    expect(policedCalls(booted)).toBe(1);
  });

  it('a method under a symbol', async () => {
    const key = Symbol('m');
    @Injectable()
    class S {
      @Policed()
      async [key](): Promise<number> {
        return 3;
      }
    }
    const booted = await boot({ providers: [S] });
    await expect(booted.app.get(S)[key]()).resolves.toBe(3);
    expect(policedCalls(booted)).toBe(1);
  });

  it('a static method', async () => {
    @Injectable()
    class S {
      @Policed()
      static async m(): Promise<S> {
        return new this();
      }
    }
    const booted = await boot({ providers: [S] });
    await expect(S.m()).resolves.toBeInstanceOf(S);
    expect(policedCalls(booted)).toBe(1);
  });

  it('this.other() of the same class', async () => {
    @Injectable()
    class S extends Answering {
      outer(): Promise<number> {
        return this.m();
      }
    }
    const booted = await boot({ providers: [S] });
    await booted.app.get(S).outer();
    expect(policedCalls(booted)).toBe(1);
  });

  it('a detached method, which has no this', async () => {
    @Injectable()
    class S {
      @Policed()
      async m(this: S | undefined): Promise<unknown> {
        return this;
      }
    }
    const booted = await boot({ providers: [S] });
    const { m } = booted.app.get(S);
    await expect(m.call(undefined)).resolves.toBeUndefined();
    expect(policedCalls(booted)).toBe(1);
  });

  it('a method from onModuleInit', async () => {
    @Injectable()
    class S extends Answering implements OnModuleInit {
      async onModuleInit(): Promise<void> {
        await this.m();
      }
    }
    const booted = await boot({ providers: [S] });
    expect(policedCalls(booted)).toBe(1);
  });

  it('a method from the factory of another provider, while the application is being built', async () => {
    @Injectable()
    class S extends Answering {}
    const factory = { provide: 'F', inject: [S], useFactory: (s: S) => s.m() };
    const booted = await boot({ providers: [S, factory] });
    expect(booted.app.get('F')).toBe(1);
    expect(policedCalls(booted)).toBe(1);
  });

  it.each<[string, Type | object, unknown]>([
    ['a class', Answering, Answering],
    ['a factory', { provide: 'S', useFactory: () => new Answering() }, 'S'],
  ])('%s of a lazily loaded module', async (_, provider, token) => {
    @Module({ providers: [provider as Type] })
    class Lazy {}
    const booted = await boot();
    const lazy = await booted.app.get(LazyModuleLoader).load(() => Lazy);
    await lazy.get<Answering>(token as string).m();
    expect(policedCalls(booted)).toBe(1);
  });

  it('an instance made by ModuleRef.create()', async () => {
    const booted = await boot();
    const made = await booted.app.get(ModuleRef).create(Answering);
    await made.m();
    expect(policedCalls(booted)).toBe(1);
  });

  it('providers that depend on each other (forwardRef)', async () => {
    @Injectable()
    class One extends Answering {
      constructor(@Inject(forwardRef(() => Two)) readonly other: object) {
        super();
      }
    }
    @Injectable()
    class Two {
      constructor(@Inject(forwardRef(() => One)) readonly other: One) {}
      @Policed()
      async m(): Promise<number> {
        return this.other.m();
      }
    }
    const booted = await boot({ providers: [One, Two] });
    await booted.app.get(Two).m();
    expect(policedCalls(booted)).toBe(2);
  });

  it('an instance behind a Proxy', async () => {
    @Injectable()
    class S extends Answering {}
    const booted = await boot({ providers: [S] });
    const proxy = new Proxy(booted.app.get(S), {
      get: (target, key, receiver) => Reflect.get(target, key, receiver) as unknown,
    });
    await proxy.m();
    expect(policedCalls(booted)).toBe(1);
  });

  it('a controller, when something calls its handler directly', async () => {
    @Controller()
    class K {
      @Policed()
      @Get()
      async m(): Promise<number> {
        return 1;
      }
    }
    const booted = await boot({ controllers: [K] });
    await booted.app.get(K).m();
    expect(policedCalls(booted)).toBe(1);
  });

  it('an instance whose first call was in its constructor, where nothing can apply them yet', async () => {
    @Injectable()
    class S {
      readonly first = this.m();
      @Policed()
      async m(): Promise<number> {
        return 1;
      }
    }
    const booted = await boot({ providers: [S] });
    await expect(booted.app.get(S).first).resolves.toBe(1);
    expect(policedCalls(booted)).toBe(0);
    await booted.app.get(S).m();
    expect(policedCalls(booted)).toBe(1);
  });
});

describe('policies do not apply to', () => {
  it('an undecorated override that does not call super', async () => {
    @Injectable()
    class S extends Answering {
      override async m(): Promise<number> {
        return 2;
      }
    }
    const booted = await boot({ providers: [S] });
    await expect(booted.app.get(S).m()).resolves.toBe(2);
    expect(policedCalls(booted)).toBe(0);
  });

  it('a mock put in the place of the provider', async () => {
    @Injectable()
    class S extends Answering {}
    const { AppModule } = appModule({ providers: [S] });
    const moduleRef = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(S)
      .useValue({ m: () => 99 })
      .compile();
    await moduleRef.init();
    const watched = watch(moduleRef);
    expect(moduleRef.get(S).m()).toBe(99);
    expect(policedCalls(watched)).toBe(0);
  });

  it('a call while the options of the application are still awaited, which a warning tells of', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    @Injectable()
    class TooEarly extends Answering {}
    const library = ResilienceModule.forRootAsync({
      useFactory: async () => {
        await settle();
        return { logger: false as const };
      },
    });
    const factory = { provide: 'F', inject: [TooEarly], useFactory: (s: TooEarly) => s.m() };
    @Module({ imports: [library], providers: [TooEarly, factory] })
    class App {}
    const app = await NestFactory.createApplicationContext(App, { logger: false });
    const watched = watch(app);
    expect(app.get('F')).toBe(1);
    expect(policedCalls(watched)).toBe(0);
    expect(warn).toHaveBeenCalledWith(
      expect.stringMatching(/^TooEarly\.m runs without its policies/),
    );
    warn.mockRestore();
  });

  it('a class in an application without the library: the method runs bare', async () => {
    @Injectable()
    class S {
      calls = 0;
      @Retry({ backoff: constant(1) })
      async m(): Promise<never> {
        this.calls += 1;
        throw new Error('down');
      }
    }
    const { AppModule } = appModule({ providers: [S], resilience: false });
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const service = app.get(S);
    await expect(service.m()).rejects.toThrow('down');
    expect(service.calls).toBe(1);
    await app.close();
  });

  it('new Service() without any application: the method runs bare', async () => {
    class S {
      calls = 0;
      @Retry({ backoff: constant(1) })
      async m(): Promise<never> {
        this.calls += 1;
        throw new Error('down');
      }
    }
    const service = new S();
    await expect(service.m()).rejects.toThrow('down');
    expect(service.calls).toBe(1);
  });
});

it('nested policies of an override and its base both apply', async () => {
  @Injectable()
  class S extends Answering {
    @Policed()
    override async m(): Promise<number> {
      return (await super.m()) + 1;
    }
  }
  const booted = await boot({ providers: [S] });
  await expect(booted.app.get(S).m()).resolves.toBe(2);
  expect(policedCalls(booted)).toBe(2);
});

describe('several applications in one process', () => {
  @Injectable()
  class S {
    @CircuitBreaker({ name: 'policed', consecutiveFailures: 1 })
    async m(fail = false): Promise<void> {
      if (fail) throw new Error('down');
    }
  }

  it.each<[string, object, unknown]>([
    ['of a class provider', S, S],
    ['of a useFactory provider', { provide: 'S', useFactory: () => new S() }, 'S'],
  ])('each runs the calls %s under its own breakers', async (_, provider, token) => {
    const one = await boot({ providers: [provider as Type] });
    const two = await boot({ providers: [provider as Type] });
    await one.app.get<S>(token as string).m();
    await two.app.get<S>(token as string).m();
    await two.app.get<S>(token as string).m();
    expect([policedCalls(one), policedCalls(two)]).toEqual([1, 2]);
  });

  it('an open circuit in one leaves the other closed', async () => {
    const one = await boot({ providers: [S] });
    const two = await boot({ providers: [S] });
    await expect(one.app.get(S).m(true)).rejects.toThrow('down');
    await expect(one.app.get(S).m()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    await expect(two.app.get(S).m()).resolves.toBeUndefined();
  });

  it('made from one and the same module, they share no state either', async () => {
    const { AppModule } = appModule({ providers: [S] });
    const apps = await Promise.all(
      [1, 2].map(() => NestFactory.createApplicationContext(AppModule, { logger: false })),
    );
    const [one, two] = apps.map((app) => ({ app, ...watch(app) }));
    await one!.app.get(S).m();
    await two!.app.get(S).m();
    await two!.app.get(S).m();
    expect([policedCalls(one!), policedCalls(two!)]).toEqual([1, 2]);
  });

  it('the second one works after the first has been closed', async () => {
    const one = await boot({ providers: [S] });
    await one.app.get(S).m();
    await one.app.close();
    const two = await boot({ providers: [S] });
    await two.app.get(S).m();
    await two.app.get(S).m();
    expect([policedCalls(one), policedCalls(two)]).toEqual([1, 2]);
  });

  it('a second application does not take over the shared instance of the first', async () => {
    const shared = new S();
    const one = await boot({ providers: [{ provide: 'S', useValue: shared }] });
    const two = await boot({ providers: [{ provide: 'S', useValue: shared }] });
    await shared.m();
    expect([policedCalls(one), policedCalls(two)]).toEqual([1, 0]);
  });

  it('what no application has built runs bare when several are running', async () => {
    const one = await boot();
    const two = await boot();
    await new S().m();
    expect([policedCalls(one), policedCalls(two)]).toEqual([0, 0]);
  });
});

describe('in tests', () => {
  it('compile() without init() is enough', async () => {
    @Injectable()
    class S extends Answering {}
    const { AppModule } = appModule({ providers: [S] });
    const moduleRef = await Test.createTestingModule({ imports: [AppModule] }).compile();
    const watched = watch(moduleRef);
    await moduleRef.get(S).m();
    expect(policedCalls(watched)).toBe(1);
  });

  it('a spy on the prototype sees calls, with their policies', async () => {
    @Injectable()
    class S {
      @Policed()
      async m(): Promise<void> {}
    }
    const spy = jest.spyOn(S.prototype, 'm');
    const booted = await boot({ providers: [S] });
    await booted.app.get(S).m();
    expect(spy).toHaveBeenCalledTimes(1);
    expect(policedCalls(booted)).toBe(1);
  });

  it('a spy on the instance sees calls, with their policies', async () => {
    @Injectable()
    class S extends Answering {}
    const booted = await boot({ providers: [S] });
    const spy = jest.spyOn(booted.app.get(S), 'm');
    await booted.app.get(S).m();
    expect(spy).toHaveBeenCalledTimes(1);
    expect(policedCalls(booted)).toBe(1);
  });

  it('an auto-mock in the slot of the runtime does not swallow the method', async () => {
    @Injectable()
    class S {
      constructor(@Optional() @Inject('other') readonly other: unknown) {}
      @Policed()
      async m(): Promise<number> {
        return 1;
      }
    }
    const mock = (): unknown => ({ runtime: { invoke: () => 'mocked' } });
    const moduleRef = await Test.createTestingModule({ providers: [S] })
      .useMocker(mock)
      .compile();
    await expect(moduleRef.get(S).m()).resolves.toBe(1);
    await moduleRef.close();
  });

  it('ResilienceModule can be replaced by nothing: methods run bare', async () => {
    @Injectable()
    class S extends Answering {}
    @Module({})
    class Nothing {}
    const library = ResilienceModule.forRoot();
    const moduleRef = await Test.createTestingModule({ imports: [library], providers: [S] })
      .overrideModule(library)
      .useModule(Nothing)
      .compile();
    await expect(moduleRef.get(S).m()).resolves.toBe(1);
    expect(() => moduleRef.get(CircuitBreakerRegistry, { strict: false })).toThrow();
    await moduleRef.close();
  });
});

describe('a decorated class', () => {
  it('has no extra keys on its instances', async () => {
    @Injectable()
    class S extends Answering {}
    const { app } = await boot({ providers: [S] });
    await app.get(S).m();
    expect(Reflect.ownKeys(app.get(S))).toEqual([]);
    expect(Object.keys(S.prototype)).toEqual([]);
  });

  it('keeps name and length of its methods, and that they are not enumerable', () => {
    class S {
      @Retry()
      async search(_words: string, _page: number): Promise<void> {}
    }
    expect(S.prototype.search.name).toBe('search');
    expect(S.prototype.search).toHaveLength(2);
    expect(Object.keys(S.prototype)).toEqual([]);
  });
});

describe('forRootAsync()', () => {
  @Injectable()
  class Settings {
    @Policed()
    async load(): Promise<{ maxRetries: number }> {
      return { maxRetries: 1 };
    }
  }

  @Injectable()
  class S {
    calls = 0;
    @Retry({ backoff: constant(10) })
    async m(): Promise<never> {
      this.calls += 1;
      throw new Error('down');
    }
  }

  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}

  async function callsOfFailingMethod(library: ReturnType<typeof ResilienceModule.forRoot>) {
    @Module({ imports: [library], providers: [S] })
    class App {}
    const app = await NestFactory.createApplicationContext(App, { logger: false });
    watch(app);
    const work = outcome(app.get(S).m());
    await clock.advance(1_000);
    expect((await work).error).toEqual(new Error('down'));
    return app.get(S).calls;
  }

  let clock: ManualClock;
  beforeEach(() => {
    clock = new ManualClock();
  });

  it('takes options from a factory that calls a decorated method of an injected provider', async () => {
    const library = ResilienceModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: async (settings: Settings) => ({
        clock,
        logger: false as const,
        defaults: { retry: await settings.load() },
      }),
    });
    await expect(callsOfFailingMethod(library)).resolves.toBe(2);
  });

  it('takes options from a factory class', async () => {
    @Injectable()
    class Options {
      constructor(private readonly settings: Settings) {}
      async createResilienceOptions() {
        return {
          clock,
          logger: false as const,
          defaults: { retry: await this.settings.load() },
        };
      }
    }
    const library = ResilienceModule.forRootAsync({
      imports: [SettingsModule],
      useClass: Options,
    });
    await expect(callsOfFailingMethod(library)).resolves.toBe(2);
  });

  it('takes options from an existing provider', async () => {
    const options = {
      createResilienceOptions: () => ({ clock, defaults: { retry: { maxRetries: 4 } } }),
    };
    @Module({ providers: [{ provide: 'options', useValue: options }], exports: ['options'] })
    class OptionsModule {}
    const library = ResilienceModule.forRootAsync({
      imports: [OptionsModule],
      useExisting: 'options',
    });
    await expect(callsOfFailingMethod(library)).resolves.toBe(5);
  });

  it('says what it needs when it is given nothing', () => {
    expect(() => ResilienceModule.forRootAsync({})).toThrow(
      'ResilienceModule.forRootAsync() needs useFactory, useClass or useExisting',
    );
  });
});
