import {
  BadGatewayException,
  type ArgumentsHost,
  type CallHandler,
  Catch,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpException,
  type INestApplication,
  Injectable,
  Logger,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  type NestModule,
  Res,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import { ApplicationConfig, ExternalContextCreator, NestFactory, REQUEST } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { firstValueFrom, of } from 'rxjs';
import {
  CircuitBreaker,
  CircuitOpenError,
  Fallback,
  ResilienceError,
  ResilienceExceptionFilter,
  ResilienceModule,
  Retry,
  Signal,
  constant,
  fallbackValue,
} from '../src/index.js';
import { brand } from '../src/common/brand.js';
import { ResilienceInterceptor } from '../src/execution/handlers/resilience.interceptor.js';
import {
  type Parts,
  type Platform,
  type Served,
  appModule,
  closeAll,
  everyPlatform,
  platforms,
  quiet,
  serve,
  watch,
} from './support/boot.js';
import { answersRejections, hang } from './support/handlers.js';
import { freePort } from './support/http.js';
import { Visits, until } from './support/wait.js';

afterEach(closeAll);

const INTERCEPTORS = '__interceptors__';

const down = async (): Promise<never> => {
  throw new BadGatewayException();
};

const opensAtOnce = { consecutiveFailures: 1, openFor: '3s' } as const;

/** An application that does not listen yet. */
async function created(platform: Platform, parts: Parts): Promise<Omit<Served, 'url'>> {
  const { AppModule, clock } = appModule(parts);
  const app = await NestFactory.create<INestApplication>(
    AppModule,
    await platforms[platform](),
    quiet,
  );
  return { app, clock, ...watch(app) };
}

/** A rejection by another copy of the library: not of our classes, but with the mark that all copies share. */
class ForeignRejection extends HttpException {
  readonly code = 'CIRCUIT_OPEN';
  readonly retryAfterMs = 3_000;

  constructor() {
    super('Service Unavailable', 503);
    Object.defineProperty(this, brand('error'), { value: true });
  }
}

/** Records each request that passes it. */
function trace(name: string, passed: string[]): new () => NestInterceptor {
  return class Tracing implements NestInterceptor {
    intercept(_context: ExecutionContext, next: CallHandler): ReturnType<CallHandler['handle']> {
      passed.push(name);
      return next.handle();
    }
  };
}

describe.each(everyPlatform)('the interceptor of decorated handlers on %s', (platform) => {
  it('is on no other route: neither global nor on undecorated handlers', async () => {
    @Controller()
    class K {
      @Get('decorated')
      @Retry()
      async decorated(): Promise<string> {
        return 'decorated';
      }
      @Get('bare')
      bare(): string {
        return 'bare';
      }
    }
    const { app, url } = await serve(platform, { controllers: [K] });
    const config = app.get(ApplicationConfig);
    expect(config.getGlobalInterceptors()).toEqual([]);
    expect(config.getGlobalRequestInterceptors()).toEqual([]);
    expect(Reflect.getMetadata(INTERCEPTORS, K)).toBeUndefined();
    expect(Reflect.getMetadata(INTERCEPTORS, K.prototype.bare)).toBeUndefined();
    expect(Reflect.getMetadata(INTERCEPTORS, K.prototype.decorated)).toHaveLength(1);
    expect(await (await fetch(`${url}/bare`)).text()).toBe('bare');
    expect(await (await fetch(`${url}/decorated`)).text()).toBe('decorated');
  });

  it.each(['above', 'below'])(
    'runs inside global and controller interceptors, outside those that stand %s it on the method',
    async (where) => {
      const passed: string[] = [];
      const OfMethod = trace('method', passed);
      const above = where === 'above' ? UseInterceptors(OfMethod) : (): void => {};
      const below = where === 'below' ? UseInterceptors(OfMethod) : (): void => {};
      @Controller()
      @UseInterceptors(trace('controller', passed))
      class K {
        @above
        @Get()
        @Fallback(fallbackValue('none'))
        @Retry({ maxRetries: 2, backoff: constant(0) })
        @below
        async get(): Promise<string> {
          return down();
        }
      }
      const { app, clock } = await created(platform, { controllers: [K] });
      app.useGlobalInterceptors(new (trace('global', passed))());
      await app.listen(0, '127.0.0.1');
      const answer = fetch(await app.getUrl());
      await until(() => passed.length > 2);
      await clock.advance(1);
      await clock.advance(1);
      expect(await (await answer).text()).toBe('none');
      // The fallback is answered through the method's interceptors too.
      expect(passed).toEqual(['global', 'controller', 'method', 'method', 'method', 'method']);
    },
  );

  it('runs for handlers that a class-level policy covers, its own and those of subclasses', async () => {
    const visits = new Visits();
    const gone: boolean[] = [];
    @CircuitBreaker(opensAtOnce)
    class Parent {
      @Get('inherited')
      async inherited(): Promise<never> {
        return down();
      }
    }
    @Controller('child')
    class Child extends Parent {
      @Get('own')
      async own(): Promise<never> {
        return down();
      }
      @Get('slow')
      async slow(@Signal() signal: AbortSignal): Promise<never> {
        visits.visit();
        signal.addEventListener('abort', () => gone.push(true));
        return hang(signal);
      }
    }
    const { url } = await serve(platform, { controllers: [Child] });
    for (const path of ['own', 'inherited']) {
      expect((await fetch(`${url}/child/${path}`)).status).toBe(502);
      const response = await fetch(`${url}/child/${path}`);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('3');
    }
    const client = new AbortController();
    const answer = fetch(`${url}/child/slow`, { signal: client.signal });
    await visits.reached(1);
    client.abort();
    await expect(answer).rejects.toThrow();
    await until(() => gone.length > 0);
  });

  it('runs for the handlers of a subclass when nothing else in its module has one', async () => {
    @CircuitBreaker(opensAtOnce)
    abstract class Covered {}
    @Controller()
    class Child extends Covered {
      @Get()
      async get(): Promise<never> {
        return down();
      }
    }
    const { url } = await serve(platform, { controllers: [Child] });
    expect((await fetch(url)).status).toBe(502);
    expect((await fetch(url)).headers.get('retry-after')).toBe('3');
  });

  it('is not on a handler that a sibling inherits and that another class covers', async () => {
    abstract class Base {
      @Get()
      async get(): Promise<string> {
        return 'base';
      }
    }
    @CircuitBreaker(opensAtOnce)
    @Controller('covered')
    class Covered extends Base {}
    @Controller('sibling')
    class Sibling extends Base {}
    const { url, registry } = await serve(platform, { controllers: [Covered, Sibling] });
    expect(Reflect.getMetadata(INTERCEPTORS, Sibling.prototype.get)).toBeUndefined();
    expect(Reflect.getMetadata(INTERCEPTORS, Covered.prototype.get)).toHaveLength(1);
    expect(await (await fetch(`${url}/covered`)).text()).toBe('base');
    expect(await (await fetch(`${url}/sibling`)).text()).toBe('base');
    expect([...registry].map(({ counts }) => counts.requests)).toEqual([1]);
  });
});

describe.each(everyPlatform)('ResilienceExceptionFilter on %s', (platform) => {
  /** Express' response and Fastify's reply. */
  interface Begins {
    hijack?(): void;
    write(chunk: string): void;
  }

  @Injectable()
  class Shelf {
    @CircuitBreaker(opensAtOnce)
    books(): Promise<never> {
      return down();
    }
  }

  @Catch(ResilienceError)
  class OwnFilter {
    catch(_error: ResilienceError, host: ArgumentsHost): void {
      const response = host.switchToHttp().getResponse<{
        status(code: number): { send(body: string): void };
      }>();
      response.status(418).send('own');
    }
  }

  @Controller()
  class Books {
    constructor(private readonly shelf: Shelf) {}
    @Get('bare')
    bare(): Promise<never> {
      return this.shelf.books();
    }
    @Get('nearer')
    @UseFilters(OwnFilter)
    nearer(): Promise<never> {
      return this.shelf.books();
    }
    @MessagePattern('bare')
    message(): Promise<never> {
      return this.shelf.books();
    }
  }

  const parts = { controllers: [Books], providers: [Shelf] };

  it('answers rejections on undecorated handlers; a nearer filter takes precedence', async () => {
    const { url } = await serve(platform, {
      ...parts,
      providers: [...parts.providers, answersRejections],
    });
    expect((await fetch(`${url}/bare`)).status).toBe(502);
    const response = await fetch(`${url}/bare`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('3');
    expect(await response.json()).toEqual({
      statusCode: 503,
      message: 'Service Unavailable',
      error: 'Service Unavailable',
      code: 'CIRCUIT_OPEN',
    });
    expect((await fetch(`${url}/nearer`)).status).toBe(418);
  });

  it('answers rejections of another copy of the library', async () => {
    @Controller()
    class Foreign {
      @Get()
      get(): never {
        throw new ForeignRejection();
      }
    }
    const { url } = await serve(platform, {
      controllers: [Foreign],
      providers: [answersRejections],
    });
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('3');
  });

  it('can be given to useGlobalFilters()', async () => {
    const { app } = await created(platform, parts);
    app.useGlobalFilters(new ResilienceExceptionFilter());
    await app.listen(0, '127.0.0.1');
    const url = `${await app.getUrl()}/bare`;
    expect((await fetch(url)).status).toBe(502);
    expect((await fetch(url)).headers.get('retry-after')).toBe('3');
  });

  it('answers with JSON even if the handler declares another type, and outside handlers', async () => {
    @Controller()
    class Files {
      constructor(private readonly shelf: Shelf) {}
      @Get('csv')
      @Header('Content-Type', 'text/csv')
      csv(): Promise<never> {
        return this.shelf.books();
      }
      @Get('problem')
      @Header('Content-Type', 'application/problem+json')
      problem(): Promise<never> {
        return this.shelf.books();
      }
      @Get('middleware')
      bare(): string {
        return 'not reached';
      }
    }
    @Module({ providers: [Shelf] })
    class Middleware implements NestModule {
      constructor(private readonly shelf: Shelf) {}
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(async () => this.shelf.books()).forRoutes('middleware');
      }
    }
    const { url } = await serve(platform, {
      imports: [Middleware],
      controllers: [Files],
      providers: [Shelf, answersRejections],
    });
    expect((await fetch(`${url}/csv`)).status).toBe(502);
    for (const [path, type] of [
      ['csv', /^application\/json/],
      ['problem', /^application\/problem\+json/],
      ['middleware', /^application\/json/],
    ] as const) {
      const response = await fetch(`${url}/${path}`);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('3');
      expect(response.headers.get('content-type')).toMatch(type);
      expect(await response.json()).toMatchObject({ code: 'CIRCUIT_OPEN' });
    }
  });

  it('ends an answer that the handler has begun or taken over', async () => {
    @Controller()
    class Begun {
      constructor(private readonly shelf: Shelf) {}
      @Get()
      async get(@Res() response: Begins): Promise<never> {
        if (response.hijack !== undefined) response.hijack();
        else response.write('begun');
        return this.shelf.books();
      }
    }
    const { url } = await serve(platform, {
      controllers: [Begun],
      providers: [Shelf, answersRejections],
    });
    await fetch(url).catch(() => {});
    expect(await (await fetch(url)).text()).toBe(platform === 'Express' ? 'begun' : '');
  });

  it('gives callers of a microservice the code and the retry time', async () => {
    const { AppModule } = appModule({
      ...parts,
      providers: [...parts.providers, answersRejections],
    });
    const port = await freePort();
    const app = await NestFactory.createMicroservice(AppModule, {
      ...quiet,
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port },
    });
    watch(app);
    await app.listen();
    const client = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port },
    });
    try {
      const ask = (): Promise<unknown> => firstValueFrom(client.send('bare', {}));
      await expect(ask()).rejects.toMatchObject({ message: 'Internal server error' });
      await expect(ask()).rejects.toEqual({ code: 'CIRCUIT_OPEN', retryAfterMs: 3_000 });
    } finally {
      client.close();
    }
  });
});

describe('the interceptor of decorated handlers', () => {
  it('passes requests on if an auto-mocking tool injected something else', () => {
    class Mocked {
      @CircuitBreaker(opensAtOnce)
      async get(): Promise<string> {
        return 'bare';
      }
    }
    const answer = of('answer');
    const context = { getHandler: () => Mocked.prototype.get } as unknown as ExecutionContext;
    const interceptor = new ResilienceInterceptor(new Proxy({}, { get: () => jest.fn() }) as never);
    expect(interceptor.intercept(context, { handle: () => answer })).toBe(answer);
  });

  it('warns at the start that request-scoped options have no effect', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    @Controller()
    class K {
      @Get()
      @CircuitBreaker(opensAtOnce)
      async get(): Promise<never> {
        return down();
      }
    }
    class AppModule {}
    Module({
      imports: [ResilienceModule.forRootAsync({ inject: [REQUEST], useFactory: () => ({}) })],
      controllers: [K],
    })(AppModule);
    const app = await NestFactory.create(AppModule, await platforms.Express(), quiet);
    try {
      await app.init();
      expect(warn.mock.calls.flat()).toEqual([expect.stringContaining('are request-scoped')]);
    } finally {
      warn.mockRestore();
      await app.close();
    }
  });

  it('lets an application without forRoot() start, with one warning', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    @Controller()
    class Forgetful {
      @Get()
      @CircuitBreaker(opensAtOnce)
      async get(): Promise<never> {
        return down();
      }
    }
    class AppModule {}
    Module({ controllers: [Forgetful] })(AppModule);
    const app = await NestFactory.create(AppModule, await platforms.Express(), quiet);
    try {
      await app.listen(0, '127.0.0.1');
      const url = await app.getUrl();
      expect((await fetch(url)).status).toBe(502);
      expect((await fetch(url)).status).toBe(502);
      expect(warn.mock.calls.flat()).toEqual([
        expect.stringContaining('import ResilienceModule.forRoot() in the root module'),
      ]);
    } finally {
      warn.mockRestore();
      await app.close();
    }
  });
});

describe('rejections', () => {
  it('outside requests leave a decorated method unchanged', async () => {
    class Listener {
      @CircuitBreaker(opensAtOnce)
      async hear(): Promise<never> {
        return down();
      }
    }
    const { app } = await serve('Express', { providers: [Listener] });
    const listener = app.get(Listener);
    // As packages for other transports do, whose calls Nest takes for those of HTTP.
    const hear = app.get(ExternalContextCreator).create(listener, listener.hear, 'hear');
    await expect(hear('job')).rejects.toThrow(BadGatewayException);
    await expect(hear('job')).rejects.toThrow(CircuitOpenError);
  });
});
