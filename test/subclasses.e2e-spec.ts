import {
  Controller,
  Get,
  Injectable,
  Logger,
  Module,
  Scope,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { ContextIdFactory, LazyModuleLoader, ModuleRef } from '@nestjs/core';

import { CircuitBreaker, Retry, Timeout } from '../src/index.js';
import { boot, closeAll, everyPlatform, of, serve, withAttempts } from './support/boot.js';

afterEach(closeAll);

// New classes for each test: a covered class stays covered.
function classes() {
  @CircuitBreaker()
  abstract class Parent {
    async inherited(): Promise<string> {
      return 'inherited';
    }
    async overridden(): Promise<string> {
      return 'parent';
    }
  }
  @Injectable()
  class Child extends Parent {
    override async overridden(): Promise<string> {
      return 'child';
    }
    async own(): Promise<string> {
      return 'own';
    }
  }
  return { Parent, Child };
}

describe('policies of a class cover, in a subclass without any decorator,', () => {
  it('inherited methods, overrides and methods of its own, each under the name of the subclass', async () => {
    const { Child } = classes();
    const { app, registry } = await boot({ providers: [Child] });
    const child = app.get(Child);
    await expect(child.inherited()).resolves.toBe('inherited');
    await expect(child.overridden()).resolves.toBe('child');
    await expect(child.own()).resolves.toBe('own');
    const requests = registry.names().map((name) => [name, registry.get(name).counts.requests]);
    expect(Object.fromEntries(requests)).toEqual({
      'Child.inherited': 1,
      'Child.overridden': 1,
      'Child.own': 1,
    });
  });

  it('the methods of every class in between', async () => {
    const { Child } = classes();
    class Grandchild extends Child {
      async deep(): Promise<void> {}
    }
    @Injectable()
    class Last extends Grandchild {
      override async own(): Promise<string> {
        return 'last';
      }
    }
    const { app, registry } = await boot({ providers: [Last] });
    await app.get(Last).deep();
    await expect(app.get(Last).own()).resolves.toBe('last');
    await app.get(Last).overridden();
    expect(registry.get('Last.deep').counts.requests).toBe(1);
    expect(registry.get('Last.own').counts.requests).toBe(1);
    expect(registry.get('Last.overridden').counts.requests).toBe(1);
  });

  it('methods that only a class in between has, when the parent has none at all', async () => {
    @Timeout('1s')
    abstract class Empty {}
    class Middle extends Empty {
      async m(): Promise<void> {}
    }
    @Injectable()
    class S extends Middle {}
    const { service } = await boot({ providers: [S] });
    expect(service.describe(S, 'm').stages).toEqual(['attempt timeout']);
  });

  it('a method under a symbol, an async generator and what mixins make', async () => {
    const key = Symbol('m');
    @Retry()
    class Parent {}
    const Mixed = (Base: Type<object>): Type<object> =>
      class Mixin extends Base {
        async mixed(): Promise<void> {}
      };
    @Injectable()
    class S extends (Mixed(Parent) as Type<{ mixed(): Promise<void> }>) {
      async [key](): Promise<void> {}
      async *items(): AsyncGenerator<number> {
        yield 1;
      }
    }
    const { app } = await boot({ providers: [S] });
    const events = withAttempts(app);
    await app.get(S)[key]();
    await app.get(S).mixed();
    for await (const _ of app.get(S).items());
    expect(of('attempt', events).map(({ name }) => name)).toEqual([
      'S.Symbol(m)',
      'S.mixed',
      'S.items',
    ]);
  });

  it('not the children of an undecorated parent, even if another child has policies', async () => {
    class Parent {
      async m(): Promise<void> {}
    }
    @Injectable()
    @CircuitBreaker()
    class Covered extends Parent {}
    @Injectable()
    class Sibling extends Parent {}
    const { app, events, registry } = await boot({ providers: [Covered, Sibling] });
    await app.get(Sibling).m();
    expect(events).toEqual([]);
    expect(registry.names()).toEqual(['Covered.m']);
    expect(Object.hasOwn(Sibling.prototype, 'm')).toBe(false);
  });

  it('with the nearest class winning by kind, and a method over all classes', async () => {
    @Retry({ maxRetries: 5 })
    @Timeout('1s')
    class Parent {}
    @Injectable()
    @Retry({ maxRetries: 1 })
    class Child extends Parent {
      async common(): Promise<void> {}
      @Retry({ maxRetries: 2 })
      async own(): Promise<void> {}
    }
    const { service } = await boot({ providers: [Child] });
    const policies = (method: string): unknown =>
      Object.fromEntries(
        service.describe(Child, method).policies.map(({ kind, options }) => [kind, options]),
      );
    expect(policies('common')).toEqual({ retry: { maxRetries: 1 }, timeout: { attempt: '1s' } });
    expect(policies('own')).toEqual({ retry: { maxRetries: 2 }, timeout: { attempt: '1s' } });
  });
});

describe('policies of a class cover subclasses that come as', () => {
  it.each<[string, (Child: Type) => object]>([
    ['useClass', (Child) => ({ useClass: Child })],
    ['useFactory', (Child) => ({ useFactory: () => new Child() as object })],
    ['useValue', (Child) => ({ useValue: new Child() as object })],
    ['a frozen value', (Child) => ({ useValue: Object.freeze(new Child() as object) })],
  ])('%s', async (_, provider) => {
    const { Child } = classes();
    const { app, registry } = await boot({
      providers: [{ provide: 'S', ...provider(Child) } as never],
    });
    await app.get<InstanceType<typeof Child>>('S').own();
    expect(registry.get('Child.own').counts.requests).toBe(1);
  });

  it.each([Scope.REQUEST, Scope.TRANSIENT])('providers of scope %s', async (scope) => {
    const { Child } = classes();
    Injectable({ scope })(Child);
    const { app, registry } = await boot({ providers: [Child] });
    await (await app.resolve(Child, ContextIdFactory.create())).own();
    expect(registry.get('Child.own').counts.requests).toBe(1);
  });

  it('providers of a lazily loaded module, and by ModuleRef.create()', async () => {
    const lazy = classes().Child;
    @Module({ providers: [lazy] })
    class Lazy {}
    const { app, registry, service } = await boot();
    await (await app.get(LazyModuleLoader).load(() => Lazy)).get(lazy).own();
    expect(registry.get('Child.own').counts.requests).toBe(1);
    @Retry()
    class Parent {}
    @Injectable()
    class Made extends Parent {
      async m(): Promise<void> {}
    }
    await (await app.get(ModuleRef).create(Made)).m();
    expect(service.describe(Made, 'm').stages).toEqual(['retry']);
  });

  it('guards, whose instances modules keep as injectables', async () => {
    @CircuitBreaker()
    class Parent {}
    @Injectable()
    class Guard extends Parent {
      async canActivate(): Promise<boolean> {
        return true;
      }
    }
    @Controller()
    @UseGuards(Guard)
    class K {
      @Get()
      m(): string {
        return 'ok';
      }
    }
    const { url, registry } = await serve('Express', { controllers: [K] });
    await fetch(url);
    expect(registry.get('Guard.canActivate').counts.requests).toBe(1);
  });
});

describe.each(everyPlatform)(
  'handlers of a subclass of a decorated controller, on %s',
  (platform) => {
    it.each(['in a singleton', 'in a request-scoped controller'])(
      'are covered once, %s',
      async (scope) => {
        @CircuitBreaker()
        abstract class Base {
          @Get('inherited')
          inherited(): string {
            return 'inherited';
          }
          @Get('overridden')
          overridden(): string {
            return 'base';
          }
        }
        class K extends Base {
          @Get('overridden')
          override overridden(): string {
            return `${super.overridden()}'s child`;
          }
          @Get('own')
          async own(): Promise<string> {
            return 'own';
          }
        }
        Controller(scope === 'in a singleton' ? {} : { scope: Scope.REQUEST })(K);
        const { url, registry } = await serve(platform, { controllers: [K] });
        const get = async (path: string): Promise<string> => (await fetch(`${url}/${path}`)).text();
        await expect(get('inherited')).resolves.toBe('inherited');
        await expect(get('overridden')).resolves.toBe("base's child");
        await expect(get('own')).resolves.toBe('own');
        for (const name of ['inherited', 'overridden', 'own']) {
          expect(registry.get(`K.${name}`).counts.requests).toBe(1);
        }
      },
    );
  },
);

describe('spies keep the policies of the class', () => {
  it('on the instance, and on the prototype of the subclass once it has been seen', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const { Child } = classes();
    const { app, registry } = await boot({ providers: [Child] });
    const onPrototype = jest.spyOn(Child.prototype, 'own');
    await app.get(Child).own();
    onPrototype.mockRestore();
    const onInherited = jest.spyOn(Child.prototype, 'inherited');
    await app.get(Child).inherited();
    expect(onInherited).toHaveBeenCalledTimes(1);
    onInherited.mockRestore();
    jest.spyOn(app.get(Child), 'overridden');
    await app.get(Child).overridden();
    expect(registry.get('Child.own').counts.requests).toBe(1);
    expect(registry.get('Child.inherited').counts.requests).toBe(1);
    expect(registry.get('Child.overridden').counts.requests).toBe(1);
    warn.mockRestore();
  });
});
