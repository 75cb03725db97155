import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Injectable, Logger, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CircuitBreaker, CircuitBreakerRegistry } from '../src/index.js';
import { appModule, boot, closeAll, watch } from './support/boot.js';

afterEach(closeAll);

const quiet = { logger: false, abortOnError: false } as const;

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

/** Whether the object is collected when it is no longer needed. */
async function isLetGo(ref: WeakRef<object>): Promise<boolean> {
  for (let turn = 0; turn < 20 && ref.deref() !== undefined; turn++) {
    await new Promise(setImmediate);
    collect();
  }
  return ref.deref() === undefined;
}

// A new class for each test: static methods have no application of their own.
function withStatic() {
  @Injectable()
  class S {
    @CircuitBreaker('policed')
    static async s(): Promise<void> {}
    @CircuitBreaker('policed')
    async m(): Promise<void> {}
  }
  return S;
}

type Hook = 'onModuleInit' | 'onApplicationBootstrap';

function failingIn(hook: Hook, more: unknown[] = []): Type {
  class Fails {}
  Object.defineProperty(Fails.prototype, hook, {
    value: () => {
      throw new Error('no database');
    },
  });
  const { AppModule } = appModule({ providers: [Fails, ...(more as Type[])] });
  return AppModule;
}

function policed(registry: CircuitBreakerRegistry): number {
  return registry.has('policed') ? registry.get('policed').counts.requests : 0;
}

describe('an application whose start has failed', () => {
  it('does not count as running: static methods have the policies of the running one', async () => {
    const S = withStatic();
    for (let attempt = 0; attempt < 10; attempt++) {
      const failing = NestFactory.createApplicationContext(failingIn('onModuleInit'), quiet);
      await expect(failing).rejects.toThrow('no database');
    }
    const { registry } = await boot({ providers: [S] });
    await S.s();
    expect(policed(registry)).toBe(1);
  });

  it('does not take static methods from one that was already running', async () => {
    const S = withStatic();
    const { registry } = await boot({ providers: [S] });
    const failing = NestFactory.createApplicationContext(failingIn('onModuleInit'), quiet);
    await expect(failing).rejects.toThrow('no database');
    await S.s();
    expect(policed(registry)).toBe(1);
  });

  it('does not keep a later one from answering in its own hooks', async () => {
    const S = withStatic();
    const failing = NestFactory.createApplicationContext(failingIn('onModuleInit'), quiet);
    await expect(failing).rejects.toThrow('no database');
    @Injectable()
    class Early {
      async onModuleInit(): Promise<void> {
        await S.s();
      }
    }
    const { registry } = await boot({ providers: [S, Early] });
    expect(policed(registry)).toBe(1);
  });

  it.each<Hook>(['onModuleInit', 'onApplicationBootstrap'])(
    'is released when it failed in %s',
    async (hook) => {
      const S = withStatic();
      const shared = new S();
      const fail = async (): Promise<WeakRef<object>> => {
        let found: WeakRef<object>;
        const Probe = {
          provide: 'probe',
          inject: [CircuitBreakerRegistry],
          useFactory: (registry: CircuitBreakerRegistry) => {
            found = new WeakRef(registry);
            return {};
          },
        };
        const more = [S, { provide: 'S', useValue: shared }, Probe];
        await NestFactory.createApplicationContext(failingIn(hook, more), quiet).catch(() => {});
        return found!;
      };
      await expect(isLetGo(await fail())).resolves.toBe(true);
      const { registry } = await boot({ providers: [S] });
      await S.s();
      expect(policed(registry)).toBe(1);
      await shared.m();
      expect(policed(registry)).toBe(2);
    },
  );
});

describe('a closed application', () => {
  it('is released, even if its classes and outside objects live on', async () => {
    const S = withStatic();
    const shared = new S();
    const run = async (): Promise<WeakRef<object>> => {
      const { AppModule } = appModule({ providers: [S, { provide: 'S', useValue: shared }] });
      const app = await NestFactory.createApplicationContext(AppModule, quiet);
      await Promise.all([app.get(S).m(), app.get<{ m(): unknown }>('S').m(), S.s()]);
      const ref = new WeakRef(app.get(CircuitBreakerRegistry));
      await app.close();
      return ref;
    };
    await expect(isLetGo(await run())).resolves.toBe(true);
    await shared.m();
  });

  it.each<[string, (shared: object) => object]>([
    ['useValue', (shared) => ({ useValue: shared })],
    ['useFactory', (shared) => ({ useFactory: () => shared })],
  ])('releases an instance by %s to the next one that uses it', async (_, provider) => {
    const S = withStatic();
    const shared = new S();
    const one = await boot({ providers: [{ provide: 'S', ...provider(shared) } as never] });
    await shared.m();
    expect(policed(one.registry)).toBe(1);
    await one.app.close();
    const two = await boot({ providers: [{ provide: 'S', ...provider(shared) } as never] });
    await shared.m();
    expect(policed(one.registry)).toBe(1);
    expect(policed(two.registry)).toBe(1);
  });
});

it('an instance that was given to an application which never started belongs to the next one', async () => {
  const S = withStatic();
  const shared = new S();
  const provider = { provide: 'S', useValue: shared };
  const failing = NestFactory.createApplicationContext(
    failingIn('onModuleInit', [provider]),
    quiet,
  );
  await expect(failing).rejects.toThrow('no database');
  const { registry } = await boot({ providers: [provider] });
  await shared.m();
  expect(policed(registry)).toBe(1);
});

it('static methods run bare, with a warning, while two applications are running', async () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  const S = withStatic();
  const one = await boot({ providers: [S] });
  const { AppModule } = appModule({ providers: [S] });
  const app = await NestFactory.createApplicationContext(AppModule, quiet);
  const two = watch(app);
  await S.s();
  expect([policed(one.registry), policed(two.registry)]).toEqual([0, 0]);
  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^S\.s runs without its policies/));
  await one.app.close();
  await S.s();
  expect(policed(two.registry)).toBe(1);
  warn.mockRestore();
});
