import {
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  Injectable,
  VersioningType,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceConfigurationError, ResilienceModule } from '../src/index.js';
import { HystrixStreamModule } from '../src/hystrix-stream/index.js';
import {
  type Platform,
  appModule,
  closeAll,
  everyPlatform,
  platforms,
  watch,
} from './support/boot.js';
import { inside, streamingOn } from './support/hystrix-stream.js';
import { read } from './support/hystrix.js';
import { outcome } from './support/wait.js';

afterEach(() => jest.restoreAllMocks());
afterEach(closeAll);

describe.each(everyPlatform)('the Hystrix stream on %s', (platform: Platform) => {
  const streaming = streamingOn(platform);

  describe('is', () => {
    it('at the configured path', async () => {
      const { url } = await streaming({ path: 'admin/circuits' });
      const reader = await read(`${url}/admin/circuits`);
      expect(reader.status).toBe(200);
      reader.disconnect();
      expect((await fetch(`${url}/hystrix.stream`)).status).toBe(404);
    });

    const served = async (configure: (app: INestApplication) => void): Promise<string> => {
      const { AppModule } = appModule({ imports: [HystrixStreamModule.forRoot()] });
      const app = await NestFactory.create(AppModule, await platforms[platform](), {
        logger: false,
      });
      configure(app);
      await app.listen(0, '127.0.0.1');
      watch(app);
      return app.getUrl();
    };

    it('below the global prefix, unless it is excluded', async () => {
      const below = await served((app) => app.setGlobalPrefix('api'));
      const reader = await read(`${below}/api/hystrix.stream`);
      expect(reader.status).toBe(200);
      reader.disconnect();
      expect((await fetch(`${below}/hystrix.stream`)).status).toBe(404);

      const beside = await served((app) => {
        app.setGlobalPrefix('api', { exclude: ['hystrix.stream'] });
      });
      const other = await read(`${beside}/hystrix.stream`);
      expect(other.status).toBe(200);
      other.disconnect();
    });

    it('the same for all versions of an application', async () => {
      const url = await served((app) => {
        app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
      });
      const reader = await read(`${url}/hystrix.stream`);
      expect(reader.status).toBe(200);
      reader.disconnect();
    });

    it('readable for pages of other origins if the application allows it', async () => {
      const url = await served((app) => app.enableCors({ origin: 'http://dashboard' }));
      const reader = await read(`${url}/hystrix.stream`);
      expect(reader.headers['access-control-allow-origin']).toBe('http://dashboard');
      reader.disconnect();
    });

    it('sent with headers that other code has set', async () => {
      class Stamp implements CanActivate {
        canActivate(context: ExecutionContext): boolean {
          const response = context
            .switchToHttp()
            .getResponse<{ header(name: string, value: string): void }>();
          response.header('X-Served-By', 'booksvc-1');
          return true;
        }
      }
      const { url } = await streaming({ guards: [Stamp] });
      const reader = await read(`${url}/hystrix.stream`);
      expect(reader.headers['x-served-by']).toBe('booksvc-1');
      reader.disconnect();
    });

    it.each([
      ['a class', (guard: new () => CanActivate) => guard],
      ['an object', (guard: new () => CanActivate) => new guard()],
    ])('closed to clients that a guard rejects: %s', async (_, guardOf) => {
      @Injectable()
      class KeyGuard implements CanActivate {
        canActivate(context: ExecutionContext): boolean {
          const { headers } = context
            .switchToHttp()
            .getRequest<{ headers: Record<string, string> }>();
          return headers.authorization === 'key';
        }
      }
      const { url, app } = await streaming({ guards: [guardOf(KeyGuard)] });
      expect((await fetch(`${url}/hystrix.stream`)).status).toBe(403);
      expect(inside(app).clients.size).toBe(0);
      const gone = new AbortController();
      const admitted = await fetch(`${url}/hystrix.stream`, {
        headers: { authorization: 'key' },
        signal: gone.signal,
      });
      expect(admitted.status).toBe(200);
      gone.abort();
    });
  });
});

describe('HystrixStreamModule', () => {
  const problemsOf = (options: object): readonly string[] => {
    try {
      HystrixStreamModule.forRoot(options);
    } catch (error) {
      if (error instanceof ResilienceConfigurationError) return error.problems;
      throw error;
    }
    return [];
  };

  it.each<[object, string]>([
    [{ path: '' }, `path is ''; use a non-empty string`],
    [{ path: 5 }, 'path is 5; use a non-empty string'],
    [
      { interval: 0 },
      `interval is 0; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' above 0 and at most 5000`,
    ],
    [
      { interval: '6s' },
      `interval is '6s'; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' above 0 and at most 5000`,
    ],
    [{ maxConnections: 0 }, 'maxConnections is 0; use a whole number of at least 1'],
    [{ keys: 'yes' }, `keys is 'yes'; use true or false`],
    [{ maxConnections: 1.5 }, 'maxConnections is 1.5; use a whole number of at least 1'],
    [
      { guards: 'admin' },
      `guards is 'admin'; use a list of guards: classes, or objects with canActivate()`,
    ],
    [
      { guards: [{}] },
      'guards is [ {} ]; use a list of guards: classes, or objects with canActivate()',
    ],
    [
      { guards: null },
      'guards is null; use a list of guards: classes, or objects with canActivate()',
    ],
    [
      { port: 1 },
      'port is not an option; the options are path, interval, maxConnections, keys, guards',
    ],
  ])('refuses %j', (options, problem) => {
    expect(problemsOf(options)).toEqual([`HystrixStreamModule.forRoot(): ${problem}`]);
  });

  it('accepts valid options', () => {
    class Guard implements CanActivate {
      canActivate(): boolean {
        return true;
      }
    }
    const guards = [Guard, new Guard()];
    expect(problemsOf({ path: '/x', interval: '5s', maxConnections: 1, guards })).toEqual([]);
    expect(problemsOf({ path: undefined, interval: undefined, guards: [] })).toEqual([]);
  });

  const start = async (...imports: object[]): Promise<unknown> => {
    const { AppModule } = appModule({ resilience: false, imports: imports as never });
    const started = NestFactory.createApplicationContext(AppModule, {
      logger: false,
      abortOnError: false,
    });
    const { error, value: app } = await outcome(started);
    await app?.close();
    return error;
  };

  it('reports a missing ResilienceModule', async () => {
    expect(await start(HystrixStreamModule.forRoot())).toMatchObject({
      name: 'ResilienceConfigurationError',
      problems: [
        'HystrixStreamModule: shows what ResilienceModule does; import ResilienceModule.forRoot() too',
      ],
    });
  });

  it('reports that the bare class has no effect', async () => {
    expect(await start(ResilienceModule.forRoot(), HystrixStreamModule)).toMatchObject({
      name: 'ResilienceConfigurationError',
      problems: [
        'HystrixStreamModule: imported without forRoot(), so it shows nothing; use HystrixStreamModule.forRoot()',
      ],
    });
  });

  it('may come before ResilienceModule', async () => {
    expect(await start(HystrixStreamModule.forRoot(), ResilienceModule.forRoot())).toBeUndefined();
  });
});
