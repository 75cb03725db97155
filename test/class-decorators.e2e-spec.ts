import {
  BadGatewayException,
  Controller,
  Get,
  HttpCode,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { Observable, firstValueFrom, of as just } from 'rxjs';
import { CircuitBreaker, Retry, Timeout, constant } from '../src/index.js';
import { boot, closeAll, everyPlatform, of, serve, withAttempts } from './support/boot.js';

afterEach(closeAll);

describe('a decorator on a class', () => {
  it('covers the methods that are known to be asynchronous', async () => {
    @Injectable()
    @Timeout('1s')
    class S {
      async promise(): Promise<number> {
        return 1;
      }
      async *items(): AsyncGenerator<number> {
        yield 2;
      }
    }
    const { app, service: resilience } = await boot({ providers: [S] });
    const events = withAttempts(app);
    const service = app.get(S);
    await expect(service.promise()).resolves.toBe(1);
    for await (const item of service.items()) expect(item).toBe(2);
    expect(of('attempt', events).map(({ name }) => name)).toEqual(['S.promise', 'S.items']);
    expect(resilience.describe(S, 'promise').stages).toEqual(['attempt timeout']);
  });

  it('does not cover synchronous helpers, accessors, lifecycle hooks and static methods', async () => {
    const hooks: string[] = [];
    @Injectable()
    @Retry()
    class S implements OnModuleInit, OnApplicationBootstrap {
      static async make(): Promise<S> {
        return new S();
      }
      get size(): number {
        return this.helper() * 2;
      }
      helper(): number {
        return 21;
      }
      async onModuleInit(): Promise<void> {
        hooks.push('init');
      }
      async onApplicationBootstrap(): Promise<void> {
        hooks.push('bootstrap');
      }
    }
    const { app, events, service } = await boot({ providers: [S] });
    expect(app.get(S).size).toBe(42);
    await S.make();
    expect(hooks).toEqual(['init', 'bootstrap']);
    expect(events).toEqual([]);
    expect(() => service.describe(S, 'onModuleInit')).toThrow('S.onModuleInit is not decorated');
  });

  it('covers methods that other decorators have marked, and keeps their metadata', async () => {
    @Injectable()
    @Timeout('1s')
    class S {
      @Retry({ maxRetries: 1 })
      observable(): Observable<number> {
        return just(1);
      }
    }
    const { app, service } = await boot({ providers: [S] });
    await expect(firstValueFrom(app.get(S).observable())).resolves.toBe(1);
    expect(service.describe(S, 'observable').stages).toEqual(['retry', 'attempt timeout']);
  });

  it('yields to one of its kind on a method', async () => {
    @Injectable()
    @Timeout('1s')
    @Retry({ maxRetries: 5 })
    class S {
      @Retry({ maxRetries: 1 })
      async own(): Promise<void> {}
      async common(): Promise<void> {}
    }
    const { service } = await boot({ providers: [S] });
    const policies = (method: string): unknown =>
      Object.fromEntries(
        service.describe(S, method).policies.map(({ kind, options }) => [kind, options]),
      );
    expect(policies('own')).toEqual({ retry: { maxRetries: 1 }, timeout: { attempt: '1s' } });
    expect(policies('common')).toEqual({ retry: { maxRetries: 5 }, timeout: { attempt: '1s' } });
  });

  it('covers inherited methods, each class under its own name', async () => {
    class Base {
      async m(): Promise<string> {
        return 'base';
      }
    }
    @Injectable()
    @CircuitBreaker()
    class One extends Base {}
    @Injectable()
    @CircuitBreaker()
    class Two extends Base {
      override async m(): Promise<string> {
        return `${await super.m()} and two`;
      }
    }
    @Injectable()
    class Bare extends Base {}
    const { app, registry } = await boot({ providers: [One, Two, Bare] });
    await expect(app.get(One).m()).resolves.toBe('base');
    await expect(app.get(Two).m()).resolves.toBe('base and two');
    await expect(app.get(Bare).m()).resolves.toBe('base');
    expect(registry.names()).toEqual(['One.m', 'Two.m']);
    expect(registry.get('One.m').counts.requests).toBe(1);
    expect(registry.get('Two.m').counts.requests).toBe(1);
  });

  it('on a subclass takes precedence over the one of its base class', async () => {
    @Retry({ maxRetries: 5 })
    class Base {
      async m(): Promise<void> {}
    }
    @Injectable()
    @Retry({ maxRetries: 1 })
    class S extends Base {}
    @Injectable()
    class T extends Base {}
    const { service } = await boot({ providers: [S, T] });
    expect(service.describe(S, 'm').policies[0]!.options).toEqual({ maxRetries: 1 });
    expect(service.describe(T, 'm').policies[0]!.options).toEqual({ maxRetries: 5 });
  });

  it.each(['above', 'below'])('covers a method under a symbol, %s @Injectable()', async (order) => {
    const key = Symbol('m');
    class S {
      async [key](): Promise<number> {
        return 1;
      }
    }
    const decorators = [Injectable(), Timeout('1s')];
    for (const decorate of order === 'above' ? decorators : decorators.reverse()) decorate(S);
    const { app } = await boot({ providers: [S] });
    const events = withAttempts(app);
    await expect(app.get(S)[key]()).resolves.toBe(1);
    expect(of('attempt', events)).toHaveLength(1);
  });
});

describe.each(everyPlatform)('a decorator on a controller, on %s', (platform) => {
  it.each(['above', 'below'])('covers its handlers once, %s @Controller()', async (order) => {
    class K {
      calls = 0;
      @Get('async')
      async later(): Promise<string> {
        if (++this.calls < 2) throw new BadGatewayException();
        return 'later';
      }
      @Get('sync')
      @HttpCode(203)
      now(): string {
        return this.helper();
      }
      helper(): string {
        return 'now';
      }
    }
    const decorators = [Controller(), Retry({ backoff: constant(0) }), CircuitBreaker('k')];
    for (const decorate of order === 'above' ? decorators.reverse() : decorators) decorate(K);
    const { url, clock, events, registry } = await serve(platform, { controllers: [K] });

    const sync = await fetch(`${url}/sync`);
    expect([sync.status, await sync.text()]).toEqual([203, 'now']);
    expect(registry.get('k').counts.requests).toBe(1);

    const answer = fetch(`${url}/async`);
    while (of('retry', events).length === 0) await clock.advance(0);
    await clock.advance(0);
    expect(await (await answer).text()).toBe('later');
    expect(registry.get('k').counts.requests).toBe(3);
  });
});
