import {
  Controller,
  Get,
  Injectable,
  Module,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { LazyModuleLoader, NestFactory } from '@nestjs/core';
import {
  CircuitBreaker,
  Fallback,
  ResilienceConfigurationError,
  ResilienceModule,
  Retry,
  Timeout,
  constant,
  staleIfError,
  fallbackValue,
} from '../src/index.js';
import { ManualClock } from '../src/testing/index.js';
import { boot, closeAll, nestMajor } from './support/boot.js';
import { ROOT, classWith, forms } from './support/bootstrap.js';
import { problemsOf, wrong } from './support/commands.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);

describe('the message', () => {
  it('has a line for each problem', () => {
    const { message } = new ResilienceConfigurationError(['A.m @Retry: one', 'B.m @Retry: two']);
    expect(message).toBe(
      'nest-resilience found 2 problems in the configuration:\n  - A.m @Retry: one\n  - B.m @Retry: two',
    );
    expect(new ResilienceConfigurationError(['A.m @Retry: one']).message).toContain(
      'found 1 problem in',
    );
  });

  it('reports a problem of an inherited method for each class that has it', async () => {
    class Base {
      @Retry({ maxRetries: -1 })
      async m(): Promise<void> {}
    }
    @Injectable()
    class One extends Base {}
    @Injectable()
    class Two extends Base {}
    await expect(problemsOf({ providers: [One, Two] })).resolves.toEqual([
      'One.m @Retry: maxRetries is -1; use a whole number of at least 0',
      'Two.m @Retry: maxRetries is -1; use a whole number of at least 0',
    ]);
  });

  it('reports handlers whose stale answers have no key', async () => {
    @Controller()
    class K {
      @Get()
      @Fallback(staleIfError({ ttl: '1m' }))
      async m(): Promise<void> {}
    }
    const cache = { provide: 'CACHE_MANAGER', useValue: {} };
    const { error } = await outcome(boot({ controllers: [K], providers: [cache] }));
    expect((error as ResilienceConfigurationError).problems).toEqual([
      `K.m @Fallback: staleIfError on a handler needs a key function, such as { key: (request) => request.url }, so that no user gets another user's data`,
    ]);
  });

  it('reports wrong options of staleIfError', async () => {
    const cache = { provide: 'CACHE_MANAGER', useValue: {} };
    const S = classWith(
      'S',
      Fallback(wrong(staleIfError(wrong({ readTimeout: -1, key: 'k', age: 1 })))) as never,
    );
    const { error } = await outcome(boot({ providers: [S, cache] }));
    expect((error as ResilienceConfigurationError).problems).toEqual([
      `S.m @Fallback: staleIfError.ttl is undefined; use a duration such as '10m'`,
      `S.m @Fallback: staleIfError.key is 'k'; use the name of a method of S`,
      `S.m @Fallback: staleIfError.readTimeout is -1; ${forms} above 0`,
      `S.m @Fallback: staleIfError.age is not an option; the options are staleIfError.ttl, staleIfError.key, staleIfError.revive, staleIfError.readTimeout, staleIfError.writeTimeout`,
    ]);
  });

  it('reports two classes of one name that would share stale answers', async () => {
    const cache = { provide: 'CACHE_MANAGER', useValue: {} };
    const stale = (): never => Fallback(staleIfError({ ttl: '1m' })) as never;
    const providers = [classWith('Books', stale()), classWith('Books', stale()), cache];
    const { error } = await outcome(boot({ providers }));
    expect((error as ResilienceConfigurationError).problems).toEqual([
      expect.stringContaining('Books.m @Fallback: another class is called Books too'),
    ]);
  });
});

describe('enhancers of a controller are checked too:', () => {
  it.each([
    ['a guard', UseGuards],
    ['an interceptor', UseInterceptors],
    ['a pipe', UsePipes],
    ['a filter', UseFilters],
  ])('%s', async (_, use) => {
    @Injectable()
    class Helper {
      @Retry({ maxRetries: -1 })
      async m(): Promise<void> {}
    }
    @Controller()
    class K {
      @Get()
      @use(wrong(Helper))
      get(): void {}
    }
    const { error } = await outcome(boot({ controllers: [K] }));
    expect((error as ResilienceConfigurationError).problems).toEqual([
      'Helper.m @Retry: maxRetries is -1; use a whole number of at least 0',
    ]);
  });
});

describe('a class that the application has not built at its start', () => {
  @Injectable({ scope: Scope.REQUEST })
  class PerRequest {
    @Retry({ maxRetries: -1 })
    async m(): Promise<void> {}
  }

  it('is checked too when it is a request-scoped class', async () => {
    await expect(problemsOf({ providers: [PerRequest] })).resolves.toHaveLength(1);
  });

  it('is refused at its first call when only a factory knows the class', async () => {
    const provider = {
      provide: 'S',
      scope: Scope.REQUEST,
      useFactory: () => new PerRequest(),
    };
    const { app } = await boot({ providers: [provider] });
    const service = await app.resolve<PerRequest>('S');
    const call = outcome((async () => service.m())());
    expect((await call).error).toBeInstanceOf(ResilienceConfigurationError);
  });

  it('is refused at its first call when it is loaded lazily', async () => {
    @Injectable()
    class Late {
      @CircuitBreaker({ name: 'shared', openFor: '1s' })
      async m(): Promise<void> {}
    }
    @Module({ providers: [Late] })
    class LateModule {}
    @Injectable()
    class Early {
      @CircuitBreaker('shared')
      async m(): Promise<void> {}
    }
    const { app } = await boot({ providers: [Early] });
    await app.get(Early).m();
    const late = await app.get(LazyModuleLoader).load(() => LateModule);
    const call = outcome((async () => late.get(Late).m())());
    expect((await call).error).toMatchObject({
      problems: [
        expect.stringContaining('Late.m @CircuitBreaker: "shared" has other options at Early.m'),
      ],
    });
  });
});

describe('the module', () => {
  it('refuses to be imported without forRoot(), which would have no effect', async () => {
    @Module({ imports: [ResilienceModule] })
    class App {}
    const app = NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
    const { error } = await outcome(app);
    expect((error as ResilienceConfigurationError).problems).toEqual([
      'ResilienceModule: imported without forRoot(), so it protects nothing; use ResilienceModule.forRoot()',
    ]);
  });

  it('refuses to be imported twice into one application', async () => {
    const options = { clock: new ManualClock(), logger: false as const };
    @Module({
      imports: [
        ResilienceModule.forRoot(options),
        ResilienceModule.forRoot({ ...options, random: () => 0 }),
      ],
    })
    class App {}
    const app = NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
    const { error, value: started } = await outcome(app);
    if (nestMajor === 10) {
      // It takes dynamic modules whose factories read the same for one module.
      expect(error).toBeUndefined();
      return started?.close();
    }
    expect((error as ResilienceConfigurationError).problems).toEqual([
      `${ROOT} 2 of them in one application, so policies would apply twice; import it once, in the root module`,
    ]);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'options'],
  ])('refuses %s from the factory of forRootAsync()', async (_, options) => {
    @Module({ imports: [ResilienceModule.forRootAsync({ useFactory: () => options as never })] })
    class App {}
    const app = NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
    const { error } = await outcome(app);
    expect((error as ResilienceConfigurationError).problems).toEqual([
      expect.stringMatching(/^ResilienceModule\.forRoot\(\): the options are .+; use an object$/),
    ]);
  });

  it('starts with every option at a sensible value', async () => {
    @Injectable()
    class S {
      @Fallback(fallbackValue(undefined))
      @Retry({ maxRetries: Infinity, backoff: constant(0), maxElapsedTime: Infinity })
      @CircuitBreaker({
        name: 's',
        failureRate: 1,
        window: { calls: 5 },
        halfOpen: { maxCalls: 2 },
      })
      @Timeout({ attempt: '1s', total: '1m' })
      async m(): Promise<void> {}
    }
    const { app } = await boot({
      providers: [S],
      resilience: {
        defaults: { retry: { maxRetries: 1 }, timeout: '3s' as never },
        configs: { s: { circuitBreaker: { openFor: '1s' } } },
        overrides: {
          '*': { retry: { enabled: false } },
          S: {},
          'S.m': { circuitBreaker: { minimumCalls: 5 } },
        },
      },
    });
    await expect(app.get(S).m()).resolves.toBeUndefined();
  });
});
