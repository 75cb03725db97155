import {
  type ArgumentsHost,
  BadGatewayException,
  Catch,
  Controller,
  type ExceptionFilter,
  Injectable,
  type LoggerService,
  UseFilters,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ClientOptions,
  type ClientProxy,
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { Redis } from 'ioredis';
import { type Observable, firstValueFrom, throwError } from 'rxjs';
import {
  CircuitBreaker,
  ResilienceError,
  ResilienceExceptionFilter,
  Retry,
  constant,
} from '../../src/index.js';
import { type Booted, appModule, boot, closeAll, quiet, watch } from '../support/boot.js';
import { OwnRedis } from '../processes/sample/redis/redis-under-test.js';
import { freePort } from '../support/http.js';
import { describeWithRedis } from '../support/redis.js';
import { Visits, outcome, settle, until } from '../support/wait.js';

const SECRET = 'secret-upstream';
const visits = new Visits();
const seen: unknown[] = [];

@Catch(ResilienceError)
class TeamFilter implements ExceptionFilter {
  catch(error: ResilienceError, _host: ArgumentsHost): Observable<never> {
    seen.push(error);
    return throwError(() => ({ team: error.code }));
  }
}

@Injectable()
class Shelf {
  @CircuitBreaker({ name: `${SECRET}-shelf`, consecutiveFailures: 1, openFor: '4s' })
  async books(): Promise<never> {
    throw new BadGatewayException();
  }
}

const failing = { consecutiveFailures: 1, openFor: '4s' } as const;

@Controller()
class Handlers {
  constructor(readonly shelf: Shelf) {}

  @MessagePattern('good')
  @Retry()
  @CircuitBreaker('good')
  async good(): Promise<string> {
    visits.visit();
    return 'books';
  }

  @MessagePattern('request')
  @CircuitBreaker({ name: SECRET, ...failing })
  async request(): Promise<never> {
    throw new BadGatewayException();
  }

  @EventPattern('event')
  @CircuitBreaker({ name: `${SECRET}-event`, ...failing })
  async event(_book: unknown): Promise<never> {
    visits.visit();
    throw new BadGatewayException();
  }

  @MessagePattern('undecorated')
  @UseFilters(ResilienceExceptionFilter)
  undecorated(): Promise<never> {
    return this.shelf.books();
  }

  @MessagePattern('team')
  @UseFilters(TeamFilter)
  @CircuitBreaker({ name: `${SECRET}-team`, ...failing })
  async team(): Promise<never> {
    throw new BadGatewayException();
  }
}

@Controller()
@UseFilters(new TeamFilter())
class TeamHandlers {
  @MessagePattern('team controller')
  @CircuitBreaker({ name: `${SECRET}-controller`, ...failing })
  async team(): Promise<never> {
    throw new BadGatewayException();
  }
}

let server: Booted;
let client: ClientProxy;
const warnings: string[] = [];
const logger: LoggerService = {
  log() {},
  error: (message: unknown) => void warnings.push(`error: ${String(message)}`),
  warn: (message: unknown) => void warnings.push(String(message)),
};

const ask = async (pattern: string): Promise<unknown> =>
  (await outcome(firstValueFrom(client.send(pattern, {})))).error;

/** Begins a server of the transport, if it needs one. */
type Connect = () => Promise<{ readonly host: string; readonly port: number }>;

function describeTransport(transport: Transport.TCP | Transport.REDIS, connect: Connect): void {
  beforeAll(async () => {
    const options = await connect();
    const { AppModule, clock } = appModule({
      controllers: [Handlers, TeamHandlers],
      providers: [Shelf],
      resilience: { logger },
    });
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
      ...quiet,
      transport,
      options,
    });
    await app.listen();
    server = { app, clock, ...watch(app) };
    client = ClientProxyFactory.create({ transport, options } as ClientOptions);
  });

  beforeEach(() => {
    visits.count = 0;
    seen.length = 0;
    warnings.length = 0;
    for (const breaker of server.registry.list()) server.registry.get(breaker.name).reset();
  });

  afterAll(async () => {
    await client.close();
    await closeAll();
    if (redis === undefined) return;
    await connectionsEnd(redis.url);
    await redis.stop();
  });

  describe('a request', () => {
    it('runs its policies exactly once', async () => {
      expect(await firstValueFrom(client.send('good', {}))).toBe('books');
      expect(visits.count).toBe(1);
      expect(server.registry.get('good').counts).toMatchObject({ requests: 1, successes: 1 });
    });

    it('gives its caller code and retry time of a rejection, and reveals no internals', async () => {
      await ask('request');
      expect(await ask('request')).toEqual({ code: 'CIRCUIT_OPEN', retryAfterMs: 4_000 });
    });

    it('without policies does so with the filter', async () => {
      await ask('undecorated');
      expect(await ask('undecorated')).toEqual({ code: 'CIRCUIT_OPEN', retryAfterMs: 4_000 });
    });

    it.each(['team', 'team controller'])(
      'leaves its rejections to a filter of the application: %s',
      async (pattern) => {
        await ask(pattern);
        expect(await ask(pattern)).toEqual({ team: 'CIRCUIT_OPEN' });
        expect(seen).toEqual([expect.any(ResilienceError)]);
      },
    );

    it('that is rejected is a failure for the calling service, whose retry waits for the given time', async () => {
      const asked = new Visits();
      @Injectable()
      class Caller {
        @Retry({ maxRetries: 1, backoff: constant('1s') })
        @CircuitBreaker({ name: 'called', consecutiveFailures: 2, openFor: '1s' })
        async call(): Promise<unknown> {
          asked.visit();
          return firstValueFrom(client.send('request', {}));
        }
      }
      await ask('request');
      const { app, clock, registry } = await boot({ providers: [Caller] });
      const result = outcome(app.get(Caller).call());
      await asked.reached(1);
      await until(() => clock.pending === 1);
      await clock.advance(3_999);
      expect(asked.count).toBe(1);
      await clock.advance(1);
      expect((await result).error).toEqual({ code: 'CIRCUIT_OPEN', retryAfterMs: 4_000 });
      expect(asked.count).toBe(2);
      expect(registry.get('called').snapshot()).toMatchObject({
        state: 'open',
        retryAfterMs: 4_000,
      });
      await app.close();
    });
  });

  describe('an event', () => {
    it('runs its policies exactly once', async () => {
      await firstValueFrom(client.emit('event', {}), { defaultValue: undefined });
      await until(() => server.registry.get(`${SECRET}-event`).state === 'open');
      expect(visits.count).toBe(1);
    });

    it('that is rejected causes one warning with its name and the reason', async () => {
      const breaker = server.registry.get(`${SECRET}-event`);
      breaker.forceOpen();
      await firstValueFrom(client.emit('event', {}), { defaultValue: undefined });
      await until(() => warnings.length > 0);
      await ask('request'); // by the same connection: the event is over
      breaker.clearOverride();
      expect(visits.count).toBe(0);
      expect(warnings.filter((line) => line.includes('turned away'))).toEqual([
        `Handlers.event has turned away an event ('event'): circuit "${SECRET}-event" is open`,
      ]);
    });
  });
}

let redis: OwnRedis | undefined;

/** Nest 10 does not wait for its connections to end. */
async function connectionsEnd(url: string): Promise<void> {
  const own = new Redis(url);
  while (
    String(await own.client('LIST'))
      .trim()
      .split('\n').length > 1
  )
    await settle();
  own.disconnect();
}

describe('a microservice over TCP', () => {
  describeTransport(Transport.TCP, async () => ({ host: '127.0.0.1', port: await freePort() }));
});

describeWithRedis('a microservice over Redis', () => {
  describeTransport(Transport.REDIS, async () => {
    redis = await OwnRedis.create();
    if (redis === undefined) throw new Error('there is no redis-server in PATH');
    await redis.start();
    const { hostname: host, port } = new URL(redis.url);
    return { host, port: Number(port) };
  });
});
