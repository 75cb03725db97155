import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  type NestInterceptor,
  Scope,
  type Type,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { type Observable, map, tap } from 'rxjs';
import { appModule, boot, closeAll, nestMajor, quiet, serve } from '../../test/support/boot.js';
import { classWith } from '../../test/support/bootstrap.js';
import { making, problemsOf } from '../../test/support/commands.js';
import { MemoryCache } from '../../test/support/memory-cache.js';
import { Answering, policedCalls } from '../../test/support/policed.js';
import { outcome } from '../../test/support/wait.js';
import {
  CircuitBreaker,
  Fallback,
  type ResilienceConfigurationError,
  Retry,
  Signal,
  Timeout,
  UsePipeline,
  fallbackValue,
  staleIfError,
} from '../index.js';

afterEach(closeAll);

/** A log that keeps its lines. */
function logger() {
  return { log: jest.fn(), warn: jest.fn(), error: jest.fn(), debug: jest.fn() };
}

const ROOT = 'ResilienceModule.forRoot():';

describe('when the application starts, the log', () => {
  it('has the plan of each method and command', async () => {
    @Injectable()
    class Shelf {
      @Retry()
      @CircuitBreaker()
      async books(): Promise<void> {}
      @Timeout('1s')
      static async open(): Promise<void> {}
    }
    const log = logger();
    const command = making((service) => service.command('find', { run: () => 1, timeout: '1s' }));
    await boot({ providers: [Shelf, command], resilience: { logger: log } });
    expect(log.debug.mock.calls.flat()).toEqual([
      'Shelf.books: retry > circuit breaker > method',
      'Shelf.open: attempt timeout > method',
      'find: attempt timeout > method',
    ]);
    expect(log.warn).not.toHaveBeenCalled();
  });

  it('has the plan of a method that several classes inherit for each of them, once', async () => {
    class Parent {
      @Retry()
      async m(): Promise<void> {}
    }
    @Injectable()
    class One extends Parent {}
    @Injectable()
    class Two extends Parent {
      @Timeout('1s')
      override async m(): Promise<void> {
        return super.m();
      }
    }
    @Injectable()
    class Three extends Parent {
      override async m(): Promise<void> {
        return super.m();
      }
    }
    @Injectable()
    class Four extends Three {}
    const log = logger();
    const alias = { provide: 'alias', useClass: One };
    await boot({ providers: [One, Two, Three, Four, alias], resilience: { logger: log } });
    expect(log.debug.mock.calls.flat().sort()).toEqual([
      'One.m: retry > method',
      'Parent.m: retry > method', // of Three and Four
      'Parent.m: retry > method', // of Two, whose policies are around it
      'Two.m: attempt timeout > method',
    ]);
  });

  it('warns of what the policies of a class do not cover, also in a field of a shared instance', async () => {
    @Injectable()
    @Retry()
    class Shelf {
      readonly send = async (): Promise<void> => {};
    }
    const log = logger();
    await boot({ providers: [{ provide: 'S', useFactory: () => new Shelf() }, Shelf], resilience: { logger: log } }); // prettier-ignore
    expect(log.warn.mock.calls).toEqual([
      [
        'Shelf: the policies on the class do not cover send (a function in a field: make it a method)',
      ],
    ]);
  });
});

describe('message handlers to which Nest passes nothing but the signal', () => {
  it('are named in a warning each', async () => {
    @Controller()
    class Books {
      @MessagePattern('ask')
      @Retry()
      async ask(_book: string, _signal: AbortSignal): Promise<void> {}
      @EventPattern('sold')
      async sold(_book: string, _signal?: unknown): Promise<void> {}
      @MessagePattern('all')
      async all(_signal: AbortSignal): Promise<void> {}
      @MessagePattern('find')
      async find(@Payload() _book: string, _signal: AbortSignal): Promise<void> {}
      @Get()
      async route(_unused: string, _signal: AbortSignal): Promise<void> {}
    }
    const places = { ask: 1, sold: 1, all: 0, find: 1, route: 1 };
    for (const [key, index] of Object.entries(places)) Signal()(Books.prototype, key, index);
    const log = logger();
    await boot({ controllers: [Books], resilience: { logger: log } });
    expect(log.warn.mock.calls).toEqual([
      [expect.stringMatching(/^Books\.ask: its other parameters .* add @Payload\(\)/)],
      [expect.stringMatching(/^Books\.sold: /)],
    ]);
  });
});

describe('a wrong application is rejected and reported', () => {
  it('which decorators stand where they are of no use', async () => {
    class Shelf {
      field = 1;
      static field = 1;
      async open(_signal?: AbortSignal): Promise<void> {}
      @Retry()
      async books(_signal?: AbortSignal): Promise<void> {}
      @Get()
      async handler(_signal?: AbortSignal): Promise<void> {}
    }
    (Retry() as PropertyDecorator)(Shelf.prototype, 'field');
    (Timeout('1s') as PropertyDecorator)(Shelf, 'field');
    for (const key of ['open', 'books', 'handler', 'absent']) Signal()(Shelf.prototype, key, 0);
    await expect(problemsOf({ providers: [Shelf] })).resolves.toEqual([
      'Shelf.field @Retry: decorates a field; only methods can be protected',
      'Shelf.field @Timeout: decorates a field; only methods can be protected',
      'Shelf.open @Signal: gets no signal: the method has no policy; decorate it with one, or leave out @Signal()',
    ]);
  });

  it('which policy stands twice on a class', async () => {
    @Injectable()
    @Retry()
    @Retry()
    class Shelf {}
    await expect(problemsOf({ providers: [Shelf] })).resolves.toEqual([
      'Shelf @Retry: is applied twice; use it once',
    ]);
  });

  it('which overrides have no target', async () => {
    const [One, Two] = [classWith('One', Retry() as never), classWith('Two', Retry() as never)];
    const command = making((service) => service.command('find', { run: () => 1 }));
    const problems = await problemsOf({
      providers: [One, Two, command],
      resilience: {
        pipelines: { books: { timeout: '1s' } },
        overrides: {
          '*': { timeout: '1s' },
          One: { retry: { enabled: false } },
          'One.m': { timeout: '1s' },
          'One.n': { retry: { enabled: false } },
          books: { timeout: '2s', retry: { enabled: false } },
          find: {},
          Two: undefined as never,
        },
      },
    });
    expect(problems).toEqual([
      `${ROOT} overrides['One.m'] has timeout, but One.m has no such policy; an override can change policies, not add them`,
      `${ROOT} overrides has 'One.n', which is not a decorated class or method, a command, a pipeline, a circuit breaker, a rate limit or a bulkhead; there are *, books, One, One.m, Two, Two.m, find`,
      `${ROOT} overrides['books'] has retry, but books has no such policy; an override can change policies, not add them`,
      `${ROOT} overrides['Two'] is undefined; use an object with options by policy`,
    ]);
  });

  it('which policies the methods of a class have together, in a wrong override of the class', async () => {
    class Shelf {
      @Retry()
      async one(): Promise<void> {}
      @Timeout('1s')
      async two(): Promise<void> {}
    }
    const overrides = { Shelf: { retry: { enabled: false }, timeout: '2s', bulkhead: 1 } } as never;
    await expect(problemsOf({ providers: [Shelf], resilience: { overrides } })).resolves.toEqual([
      `${ROOT} overrides['Shelf'] has bulkhead, but Shelf has no such policy; an override can change policies, not add them`,
    ]);
  });

  // Nest 10 takes the second one for the first.
  (nestMajor === 10 ? it.skip : it)('that it has the library twice', async () => {
    const { AppModule } = appModule({ imports: [appModule({}).AppModule] });
    const { error } = await outcome(NestFactory.createApplicationContext(AppModule, quiet));
    expect((error as ResilienceConfigurationError).problems).toEqual([
      // prettier-ignore
      `${ROOT} 2 of them in one application, so policies would apply twice; import it once, in the root module`,
    ]);
  });
});

describe('a pipeline that nothing uses is checked', () => {
  it('like one that something uses, under its own name', async () => {
    const resilience = {
      pipelines: {
        books: { retry: { maxRetries: -1 }, fallback: staleIfError({ ttl: '1m' }), timeout: '1s' },
        used: { retry: { maxRetries: -2 } },
        named: { retry: { maxRetries: -3 } },
      },
      overrides: { books: { timeout: { total: -4 } } },
    } as never;
    class Shelf {
      @UsePipeline('used')
      async m(): Promise<void> {}
    }
    const command = making((service) =>
      service.command('find', { run: () => 1, pipeline: 'named' }),
    );
    await expect(problemsOf({ providers: [Shelf, command], resilience })).resolves.toEqual([
      "Shelf.m @Retry: maxRetries (from pipelines['used']) is -2; use a whole number of at least 0",
      "command 'find' retry: maxRetries (from pipelines['named']) is -3; use a whole number of at least 0",
      "pipeline 'books' retry: maxRetries (from pipelines['books']) is -1; use a whole number of at least 0",
      expect.stringMatching(
        /^pipeline 'books' timeout: total \(from overrides\['books'\]\) is -4; /,
      ),
    ]);
  });
});

describe('the possibility that results belong to another instance is reported', () => {
  function shelf(scope?: Scope): Type {
    @Injectable(scope === undefined ? {} : { scope })
    class Shelf {
      @Fallback(staleIfError({ ttl: '1m' }))
      async m(): Promise<void> {}
    }
    return Shelf;
  }

  const refusal = async (...providers: unknown[]): Promise<unknown> => {
    const cache = new MemoryCache().provider;
    const { error } = await outcome(boot({ providers: [...(providers as Type[]), cache] }));
    return error === undefined ? undefined : (error as Error).message;
  };

  it.each<[string, Scope | undefined, string | undefined]>([
    ['one shared instance', undefined, undefined],
    ['one for each request', Scope.REQUEST, 'Shelf is request-scoped'],
    ['one for each consumer', Scope.TRANSIENT, 'Shelf is transient'],
  ])('of a class with %s', async (_, scope, reason) => {
    const message = await refusal(shelf(scope));
    if (reason === undefined) expect(message).toBeUndefined();
    else expect(message).toContain(`staleIfError needs a key: ${reason}. `);
  });

  it('of a class whose instances come from factories', async () => {
    const Shelf = shelf();
    const made = (provide: string) => ({ provide, useFactory: () => new Shelf() as object });
    expect(await refusal(made('one'))).toBeUndefined();
    expect(await refusal(made('one'), made('two'))).toContain(
      'the application has 2 instances of Shelf',
    );
    expect(await refusal(Shelf, { provide: 'alias', useExisting: Shelf })).toBeUndefined();
  });
});

describe('an instance belongs to the application', () => {
  it.each<[string, object]>([
    ['whose factory has made it', { useFactory: () => new Answering() }],
    ['that it was given to', { useValue: new Answering() }],
  ])('%s', async (_, provider) => {
    const one = await boot({ providers: [{ provide: 'S', ...provider } as never] });
    const two = await boot();
    await one.app.get<Answering>('S').m();
    expect([policedCalls(one), policedCalls(two)]).toEqual([1, 0]);
  });

  it('that runs, if it was given to several; to the next one, when that has closed', async () => {
    const shared = new Answering();
    const providers = [{ provide: 'S', useValue: shared }];
    const one = await boot({ providers });
    const two = await boot({ providers });
    await shared.m();
    expect([policedCalls(one), policedCalls(two)]).toEqual([1, 0]);
    await one.app.close();
    const three = await boot({ providers });
    await shared.m();
    await shared.m();
    expect([policedCalls(one), policedCalls(two), policedCalls(three)]).toEqual([1, 0, 2]);
  });

  it('also if its provider is a function, or something that is not an object', async () => {
    const providers = [
      { provide: 'nothing', useValue: null },
      { provide: 'text', useValue: 'text' },
      { provide: 'function', useValue: () => 1 },
      { provide: 'of no class', useFactory: Object.assign(function () {}, { prototype: null }) },
      { provide: 'bare', useFactory: () => Object.create(null) as object },
      { provide: 'S', useFactory: () => new Answering() },
    ];
    const booted = await boot({ providers });
    await booted.app.get<Answering>('S').m();
    expect(policedCalls(booted)).toBe(1);
  });
});

describe('subclasses of a class with policies are covered', () => {
  it.each<[string, (Child: Type) => object]>([
    ['as a class', (Child) => Child],
    ['by useClass', (Child) => ({ provide: 'S', useClass: Child })],
    ['by useFactory', (Child) => ({ provide: 'S', useFactory: () => new Child() as object })],
    ['for each request', (Child) => ({ provide: 'S', useClass: Child, scope: Scope.REQUEST })],
  ])('%s', async (_, provider) => {
    @CircuitBreaker()
    class Parent {}
    class Child extends Parent {
      async own(): Promise<void> {}
    }
    const { registry } = await boot({ providers: [provider(Child) as Type] });
    expect(registry.names()).toEqual(['Child.own']);
  });

  it('as guards for each request, before there is one', async () => {
    @CircuitBreaker()
    class Parent {}
    @Injectable({ scope: Scope.REQUEST })
    class Guard extends Parent {
      async canActivate(): Promise<boolean> {
        return true;
      }
    }
    @Controller()
    @UseGuards(Guard)
    class K {
      @Get()
      get(): void {}
    }
    const { registry } = await boot({ controllers: [K] });
    expect(registry.names()).toEqual(['Guard.canActivate']);
  });

  it('handlers of controllers, too, in a module that has no other', async () => {
    @CircuitBreaker({ consecutiveFailures: 1, openFor: '3s' })
    class Parent {}
    @Controller()
    class Child extends Parent {
      @Get()
      async get(): Promise<never> {
        throw new Error('down');
      }
    }
    @Module({ controllers: [Child], providers: [{ provide: 'nothing', useValue: null }] })
    class Part {}
    const { url } = await serve('Express', { imports: [Part] });
    expect((await fetch(url)).status).toBe(500);
    expect((await fetch(url)).headers.get('retry-after')).toBe('3');
  });
});

describe('an interceptor that caches stores live answers only', () => {
  const stored: unknown[] = [];
  let down = false;
  beforeEach(() => {
    stored.splice(0);
    down = false;
  });

  /** As Nest's own, with the members that it is known by. */
  class Caching implements NestInterceptor {
    trackBy(): string {
      return 'key';
    }
    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      return next.handle().pipe(tap((value) => stored.push(value)));
    }
  }

  /** Knows `intercept()` only. */
  class Enveloping implements NestInterceptor {
    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      return next.handle().pipe(map((data) => `<${String(data)}>`));
    }
  }

  it.each<[string, () => Type | NestInterceptor]>([
    ['a class', () => Caching],
    ['an object', () => new Caching()],
    [
      'a class for each request',
      () => {
        class PerRequest extends Caching {}
        Injectable({ scope: Scope.REQUEST })(PerRequest);
        return PerRequest;
      },
    ],
    [
      'a class for each consumer',
      () => {
        class PerConsumer extends Caching {}
        Injectable({ scope: Scope.TRANSIENT })(PerConsumer);
        return PerConsumer;
      },
    ],
  ])('as %s', async (_, make) => {
    @Controller()
    class Books {
      @Get()
      @Fallback(fallbackValue('degraded'))
      @UseInterceptors(Enveloping, new Enveloping(), make())
      async all(): Promise<string> {
        if (down) throw new Error('down');
        return 'live';
      }
    }
    const { url } = await serve('Express', { controllers: [Books] });
    expect(await (await fetch(url)).text()).toBe('<<live>>');
    down = true;
    expect(await (await fetch(url)).text()).toBe('<<degraded>>');
    expect(stored).toEqual(['live']);
  });

  it('but all of them where the handler has no policies', async () => {
    @Injectable()
    class Shelf {
      @Fallback(fallbackValue('degraded'))
      async books(): Promise<string> {
        throw new Error('down');
      }
    }
    @Controller()
    class Books {
      constructor(private readonly shelf: Shelf) {}
      @Get()
      @UseInterceptors(Caching)
      all(): Promise<string> {
        return this.shelf.books();
      }
    }
    const { url } = await serve('Express', { controllers: [Books], providers: [Shelf] });
    expect(await (await fetch(url)).text()).toBe('degraded');
    expect(stored).toEqual(['degraded']);
  });
});
