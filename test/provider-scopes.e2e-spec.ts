import {
  Controller,
  forwardRef,
  Get,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnModuleInit,
  Scope,
  type Type,
} from '@nestjs/common';
import { ContextIdFactory, LazyModuleLoader, ModuleRef, NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { ResilienceModule, Retry, constant } from '../src/index.js';
import { appModule, boot, closeAll, watch } from './support/boot.js';
import { Answering, Policed, policedCalls } from './support/policed.js';
import { settle } from './support/wait.js';

afterEach(closeAll);

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

  it('an instance whose first call was in its constructor, where nothing can apply them yet, with a warning', async () => {
    @Injectable()
    class EarlyCaller {
      readonly first = this.m();
      readonly other = (this.constructor as typeof EarlyCaller).s();
      @Policed()
      async m(): Promise<number> {
        return 1;
      }
      @Policed()
      static async s(): Promise<void> {}
    }
    class FromFactory extends EarlyCaller {}
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const made = { provide: 'made', useFactory: () => new FromFactory() };
    const booted = await boot({ providers: [EarlyCaller, made] });
    const inConstructor =
      'it is called in a constructor or a factory, before its application has the instance';
    const before = 'it is called while no application runs';
    expect(warn.mock.calls.flat().sort()).toEqual([
      `EarlyCaller.m runs without its policies: ${inConstructor}`,
      `EarlyCaller.s runs without its policies: ${before}`,
      `FromFactory.m runs without its policies: ${inConstructor}`,
      `FromFactory.s runs without its policies: ${before}`,
    ]);
    warn.mockRestore();
    await expect(booted.app.get(EarlyCaller).first).resolves.toBe(1);
    expect(policedCalls(booted)).toBe(0);
    await booted.app.get(EarlyCaller).m();
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

  it('a mock that replaces the provider', async () => {
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

  it('a call while the options of the application are still awaited, with a warning', async () => {
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

describe('a decorated class', () => {
  it('has no extra keys on its instances', async () => {
    @Injectable()
    class S extends Answering {}
    const { app } = await boot({ providers: [S] });
    await app.get(S).m();
    expect(Reflect.ownKeys(app.get(S))).toEqual([]);
    expect(Object.keys(S.prototype)).toEqual([]);
  });

  it('keeps the name, the length and the non-enumerability of its methods', () => {
    class S {
      @Retry()
      async search(_words: string, _page: number): Promise<void> {}
    }
    expect(S.prototype.search.name).toBe('search');
    expect(S.prototype.search).toHaveLength(2);
    expect(Object.keys(S.prototype)).toEqual([]);
  });
});
