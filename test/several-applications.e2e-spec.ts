import { Inject, Injectable, Module, Optional, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { CircuitBreaker, CircuitBreakerRegistry, ResilienceModule, Signal } from '../src/index.js';
import { appModule, boot, closeAll, watch } from './support/boot.js';
import { Answering, Policed, policedCalls } from './support/policed.js';

afterEach(closeAll);

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

  it('made from the same module, they share no state either', async () => {
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

  it('an object that no application has built runs bare when several are running', async () => {
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

  it('an auto-mock of everything that is missing leaves the library as it is', async () => {
    @Injectable()
    class S extends Answering {
      constructor(@Inject('other') readonly other: unknown) {
        super();
      }
    }
    const moduleRef = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ logger: false })],
      providers: [S],
    })
      .useMocker(() => ({}))
      .compile();
    const watched = watch(moduleRef);
    await moduleRef.init();
    await moduleRef.get(S).m();
    expect(policedCalls(watched)).toBe(1);
  });

  it('a spy on a method with @Signal() may be there before the start', async () => {
    @Injectable()
    class S {
      @Policed()
      async m(@Signal() _signal?: AbortSignal): Promise<void> {}
    }
    const spy = jest.spyOn(S.prototype, 'm');
    const booted = await boot({ providers: [S] });
    await booted.app.get(S).m();
    expect(spy).toHaveBeenCalledTimes(1);
    expect(policedCalls(booted)).toBe(1);
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
