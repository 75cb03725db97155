import type { Server, ServerResponse } from 'node:http';
import { type Socket, connect } from 'node:net';
import {
  BadGatewayException,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Inject,
  Injectable,
  Logger,
  NotFoundException,
  Param,
  VersioningType,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CircuitBreaker, ResilienceConfigurationError, ResilienceModule } from '../src/index.js';
import type { Command } from '../src/commands/command.js';
import { RESILIENCE_SERVICE, type ResilienceService } from '../src/commands/resilience.service.js';
import { EventStream } from '../src/hystrix-stream/event-stream.js';
import { HystrixStreamModule, type HystrixStreamOptions } from '../src/hystrix-stream/index.js';
import {
  type Parts,
  type Platform,
  type Served,
  appModule,
  closeAll,
  everyPlatform,
  platforms,
  serve,
  watch,
} from './support/boot.js';
import { type Reader, kindsOf, others, read, required } from './support/hystrix.js';
import { deferred, outcome, until } from './support/wait.js';

afterEach(() => jest.restoreAllMocks());
afterEach(closeAll);

/** Sends often, so that tests do not wait. */
const often = 2;

@Injectable()
class StorageClient {
  readonly books: Command<[id: string], string>;

  constructor(@Inject(RESILIENCE_SERVICE) resilience: ResilienceService) {
    this.books = resilience.command('shop.books', {
      run: async (_, id: string) => {
        if (id === 'missing') throw new NotFoundException();
        if (id === 'down') throw new BadGatewayException();
        return id;
      },
      timeout: '2s',
      bulkhead: 10,
      circuitBreaker: { name: 'storagesvc', consecutiveFailures: 5, openFor: '7s' },
    });
    resilience.command('shop.authors', { run: async () => 'authors', circuitBreaker: {} });
    resilience.command('shop.covers', { run: async () => 'covers', fallback: () => 'none' });
  }

  @CircuitBreaker('reviews')
  async reviews(): Promise<string> {
    return 'reviews';
  }
}

@Controller('books')
class BooksController {
  constructor(@Inject(StorageClient) private readonly storage: StorageClient) {}

  @Get(':id')
  book(@Param('id') id: string): Promise<string> {
    return this.storage.books.execute(id);
  }
}

/** What a test has to look into: who is connected, and whether the timer runs. */
interface Inside {
  readonly clients: Map<ServerResponse, { readonly ready: boolean }>;
  readonly timer: NodeJS.Timeout | undefined;
  tick(): void;
}

const inside = (app: INestApplication): Inside =>
  app.get<unknown>(EventStream, { strict: false }) as Inside;

const counting = (parts: Parts = {}): Parts => ({
  controllers: [BooksController],
  providers: [StorageClient],
  ...parts,
});

/** A breaker whose event is so long that the kernel soon takes no more of it. */
const huge = 'x'.repeat(500_000);
const eventLength = 3 * huge.length;

class Huge {
  @CircuitBreaker({ name: huge })
  async work(): Promise<void> {}
}

/** The response to a client that has long read nothing. */
async function stalled(app: INestApplication): Promise<ServerResponse> {
  const { clients } = inside(app);
  await until(() => clients.size === 1);
  const [response] = clients.keys() as Iterator<ServerResponse> & Iterable<ServerResponse>;
  let [length, since] = [0, Date.now()];
  await until(() => {
    if (response!.writableLength !== length)
      [length, since] = [response!.writableLength, Date.now()];
    return length > 0 && Date.now() - since > 20 * often;
  });
  return response!;
}

/** The latest event of each name. */
const tiles = ({ events }: Reader): Map<unknown, Record<string, unknown>> =>
  new Map(events.map((event) => [event.name, event]));

describe.each(everyPlatform)('the Hystrix stream on %s', (platform: Platform) => {
  const streaming = (
    options: HystrixStreamOptions = {},
    { imports = [], ...parts }: Parts = {},
  ): Promise<Served> =>
    serve(platform, {
      ...parts,
      imports: [...imports, HystrixStreamModule.forRoot({ interval: often, ...options })],
    });

  /** Waits for more, `times` times. */
  const sent = async (reader: Reader, times = 2): Promise<void> => {
    for (let time = 0; time < times; time++) {
      const { length } = reader.text;
      await until(() => reader.text.length > length);
    }
  };

  describe('tells', () => {
    it('all there is at once, and then time and again', async () => {
      const { url } = await streaming({}, counting());
      const reader = await read(`${url}/hystrix.stream`);
      expect(reader.status).toBe(200);
      expect(reader.headers).toMatchObject({
        'content-type': 'text/event-stream;charset=UTF-8',
        'cache-control': 'no-cache, no-store, max-age=0, must-revalidate, no-transform',
        pragma: 'no-cache',
        'x-accel-buffering': 'no',
      });
      await until(() => reader.events.length >= 15);
      expect(reader.text.replaceAll(/data: \{.*\}\n\n/g, '')).toBe('');
      reader.disconnect();
    });

    it('each command, and each breaker that no command of its name stands for, once', async () => {
      const { url } = await streaming({ interval: '5s' }, counting());
      const reader = await read(`${url}/hystrix.stream`);
      await until(() => reader.events.length >= 5);
      expect(reader.events.map(({ name }) => name).sort()).toEqual([
        'reviews', // of a decorated method
        'shop.authors', // its breaker has the same name
        'shop.books',
        'shop.covers',
        'storagesvc',
      ]);
      reader.disconnect();
    });

    it('only what Hystrix’ dashboard takes, under load', async () => {
      const { url } = await streaming({}, counting());
      const reader = await read(`${url}/hystrix.stream`);
      const ids = ['5', 'missing', 'down', '7', 'down'];
      for (let round = 0; round < 20; round++) {
        await Promise.all(ids.map(async (id) => (await fetch(`${url}/books/${id}`)).text()));
      }
      await sent(reader);
      expect(reader.events.length).toBeGreaterThan(8);
      for (const event of reader.events) {
        expect(kindsOf(event)).toEqual({ ...required, ...others });
        expect(Math.abs(Date.now() - Number(event.currentTime))).toBeLessThan(60_000);
      }
      expect(tiles(reader).get('storagesvc')).toMatchObject({
        rollingCountSuccess: 60, // a 404 is an answer
        rollingCountBadRequests: 0,
        rollingCountFailure: 40,
        errorPercentage: 40,
        propertyValue_circuitBreakerSleepWindowInMilliseconds: 7_000,
        propertyValue_executionTimeoutInMilliseconds: 0,
      });
      expect(tiles(reader).get('shop.books')).toMatchObject({
        group: 'shop',
        rollingCountSuccess: 60,
        rollingCountBadRequests: 0,
        rollingCountFailure: 40,
        propertyValue_executionTimeoutInMilliseconds: 2_000,
        propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: 10,
      });
      reader.disconnect();
    });

    it('that a circuit has opened, is forced open, is overridden', async () => {
      const { url, registry } = await streaming({}, counting());
      const reader = await read(`${url}/hystrix.stream`);
      const tile = () => tiles(reader).get('storagesvc');
      await until(() => tile()?.isCircuitBreakerOpen === false);
      for (let call = 0; call < 7; call++) await fetch(`${url}/books/down`);
      await until(() => tile()?.rollingCountShortCircuited === 2);
      expect(tile()).toMatchObject({ isCircuitBreakerOpen: true, rollingCountFailure: 5 });
      registry.get('storagesvc').reset();
      await until(() => tile()?.isCircuitBreakerOpen === false);
      registry.get('storagesvc').forceOpen();
      await until(() => tile()?.propertyValue_circuitBreakerForceOpen === true);
      expect(tile()?.isCircuitBreakerOpen).toBe(true);
      registry.get('storagesvc').disable();
      await until(() => tile()?.propertyValue_circuitBreakerForceClosed === true);
      reader.disconnect();
    });

    it('that it is alive when there is nothing to tell', async () => {
      const { url } = await streaming();
      const reader = await read(`${url}/hystrix.stream`);
      await until(() => reader.text.length >= 3 * 'ping: \n\n'.length);
      expect(reader.text.replaceAll('ping: \n\n', '')).toBe('');
      reader.disconnect();
    });

    it('the rest when a breaker cannot be told, and complains once', async () => {
      const warn = jest.spyOn(Logger.prototype, 'warn');
      const { url, registry } = await streaming({}, counting());
      jest.spyOn(registry.get('storagesvc'), 'snapshot').mockImplementation(() => {
        throw new Error('out of order');
      });
      const reader = await read(`${url}/hystrix.stream`);
      await sent(reader);
      expect([...tiles(reader).keys()]).toContain('shop.authors');
      expect([...tiles(reader).keys()]).not.toContain('storagesvc');
      const complaints = warn.mock.calls.filter(([text]) => /^storagesvc /.test(String(text)));
      expect(complaints).toEqual([['storagesvc is missing in the stream: Error: out of order']]);
      reader.disconnect();
    });

    it('that it is alive when nothing can be told', async () => {
      const { url, registry } = await streaming({}, counting());
      const reader = await read(`${url}/hystrix.stream`);
      jest
        .spyOn(registry as unknown as Iterable<unknown>, Symbol.iterator)
        .mockImplementation(() => {
          throw new Error('out of order');
        });
      await sent(reader, 3);
      reader.disconnect();
    });
  });

  describe('serves', () => {
    it('five clients, and a sixth when one has gone', async () => {
      const { url, app } = await streaming();
      const readers = await Promise.all(
        Array.from({ length: 5 }, () => read(`${url}/hystrix.stream`)),
      );
      expect(readers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      const refused = await fetch(`${url}/hystrix.stream`);
      expect(refused.status).toBe(503);
      expect(await refused.text()).toBe('MaxConcurrentConnections reached: 5');

      readers[0]!.disconnect();
      await until(() => inside(app).clients.size === 4);
      const sixth = await read(`${url}/hystrix.stream`);
      expect(sixth.status).toBe(200);
      await sent(sixth);
      for (const reader of [...readers, sixth]) reader.disconnect();
    });

    it('as many as it is told', async () => {
      const { url } = await streaming({ maxConnections: 1 });
      const reader = await read(`${url}/hystrix.stream`);
      const refused = await fetch(`${url}/hystrix.stream`);
      expect(await refused.text()).toBe('MaxConcurrentConnections reached: 1');
      reader.disconnect();
    });

    it('a hundred that come and go, of whom nothing stays', async () => {
      const { url, app } = await streaming();
      const server = app.getHttpServer() as Server;
      const listeners = () => server.eventNames().map((name) => server.listenerCount(name));
      const before = listeners();
      const responses = new Set<ServerResponse>();
      for (let time = 0; time < 20; time++) {
        const readers = await Promise.all(
          Array.from({ length: 5 }, () => read(`${url}/hystrix.stream`)),
        );
        for (const response of inside(app).clients.keys()) responses.add(response);
        expect(inside(app).timer?.hasRef()).toBe(false);
        for (const reader of readers) reader.disconnect();
        await until(() => inside(app).clients.size === 0);
      }
      expect(responses.size).toBe(100);
      expect(inside(app).timer).toBeUndefined();
      expect(listeners()).toEqual(before);
      const connections = await new Promise<number>((resolve) => {
        server.getConnections((_, count) => resolve(count));
      });
      expect(connections).toBe(0);
    });

    it('nobody who goes before the answer begins', async () => {
      const entered = deferred();
      const admitted = deferred();
      class Slow implements CanActivate {
        async canActivate(context: ExecutionContext): Promise<boolean> {
          response = rawOf(context);
          entered.resolve();
          await admitted.promise;
          return true;
        }
      }
      let response: ServerResponse | undefined;
      const { url, app } = await streaming({ guards: [Slow] });
      const serving = jest.spyOn(app.get(EventStream, { strict: false }), 'serve');
      const gone = new AbortController();
      const answer = outcome(fetch(`${url}/hystrix.stream`, { signal: gone.signal }));
      await entered.promise;
      gone.abort();
      await answer;
      await until(() => response!.destroyed);
      admitted.resolve();
      await until(() => serving.mock.calls.length === 1);
      expect(inside(app)).toMatchObject({ clients: new Map(), timer: undefined });
    });

    it('a client that does not read no more than it can take, until it reads', async () => {
      const { url, app } = await streaming({}, { providers: [Huge] });
      const socket = await silent(url);
      const response = await stalled(app);
      const { writableLength } = response;
      expect(writableLength).toBeLessThan(2 * eventLength);

      const other = await read(`${url}/hystrix.stream`);
      await sent(other, 5);
      expect(response.writableLength).toBe(writableLength);
      other.disconnect();

      const socketBefore = socket.bytesRead;
      socket.resume();
      await until(() => socket.bytesRead > socketBefore + 3 * eventLength + writableLength);
      socket.destroy();
      await until(() => inside(app).clients.size === 0);
    });

    it('nobody any more whose response somebody else has ended', async () => {
      const { url, app } = await streaming();
      const reader = await read(`${url}/hystrix.stream`);
      const [[response]] = [...inside(app).clients] as [[ServerResponse, unknown]];
      const errors: unknown[] = [];
      response.on('error', (error) => errors.push(error));
      response.end();
      inside(app).tick();
      expect(await reader.ended).toBe(true);
      await until(() => inside(app).clients.size === 0);
      expect(errors).toEqual([]);
    });

    it('HEAD requests with the head alone', async () => {
      const { url, app } = await streaming();
      const answer = await fetch(`${url}/hystrix.stream`, { method: 'HEAD' });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/event-stream;charset=UTF-8');
      expect(await answer.text()).toBe('');
      expect(inside(app).clients.size).toBe(0);
    });
  });

  describe('ends', () => {
    it('with the application, which does not wait for its clients', async () => {
      const { url, app } = await streaming({}, counting());
      const readers = await Promise.all(
        Array.from({ length: 3 }, () => read(`${url}/hystrix.stream`)),
      );
      await Promise.all(readers.map((reader) => sent(reader)));
      const started = Date.now();
      await app.close();
      expect(Date.now() - started).toBeLessThan(1_000);
      expect(await Promise.all(readers.map(({ ended }) => ended))).toEqual([true, true, true]);
      expect(inside(app).clients.size).toBe(0);
      expect(inside(app).timer).toBeUndefined();
    });

    it('also for a client that does not read', async () => {
      const { url, app } = await streaming({}, { providers: [Huge] });
      const socket = await silent(url);
      await stalled(app);
      const started = Date.now();
      await app.close();
      expect(Date.now() - started).toBeLessThan(1_000);
      socket.destroy();
    });

    it('for those who come while the application closes', async () => {
      const { url, app } = await streaming();
      app.get<EventStream>(EventStream, { strict: false }).onModuleDestroy();
      const refused = await fetch(`${url}/hystrix.stream`);
      expect(refused.status).toBe(503);
      expect(await refused.text()).toBe('Service has been shut down.');
    });
  });

  describe('is', () => {
    it('where it is told to be', async () => {
      const { url } = await streaming({ path: 'admin/circuits' });
      const reader = await read(`${url}/admin/circuits`);
      expect(reader.status).toBe(200);
      reader.disconnect();
      expect((await fetch(`${url}/hystrix.stream`)).status).toBe(404);
    });

    const served = async (configure: (app: INestApplication) => void): Promise<string> => {
      const { AppModule } = appModule({ imports: [HystrixStreamModule.forRoot()] });
      const app = await NestFactory.create(AppModule, platforms[platform](), { logger: false });
      configure(app);
      await app.listen(0, '127.0.0.1');
      watch(app);
      return app.getUrl();
    };

    it('below the global prefix, unless that leaves it out', async () => {
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

    it('readable for pages of other origins when the application allows it', async () => {
      const url = await served((app) => app.enableCors({ origin: 'http://dashboard' }));
      const reader = await read(`${url}/hystrix.stream`);
      expect(reader.headers['access-control-allow-origin']).toBe('http://dashboard');
      reader.disconnect();
    });

    it('sent with the headers that others have set', async () => {
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
    ])('closed to those whom a guard turns away: %s', async (_, guardOf) => {
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

  it('accepts what is right', () => {
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

  it('says that ResilienceModule is missing', async () => {
    expect(await start(HystrixStreamModule.forRoot())).toMatchObject({
      name: 'ResilienceConfigurationError',
      problems: [
        'HystrixStreamModule: shows what ResilienceModule does; import ResilienceModule.forRoot() too',
      ],
    });
  });

  it('says that the bare class shows nothing', async () => {
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

/** Node's response under Express or Fastify. */
function rawOf(context: ExecutionContext): ServerResponse {
  const response = context.switchToHttp().getResponse<ServerResponse & { raw?: ServerResponse }>();
  return response.raw ?? response;
}

/** A client that sends a request and reads nothing until it is told to. */
async function silent(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.pause();
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(`GET /hystrix.stream HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  return socket;
}
