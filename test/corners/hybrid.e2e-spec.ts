import { BadGatewayException, Controller, Get, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ClientProxy,
  ClientProxyFactory,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { CircuitBreaker, ResilienceExceptionFilter, Retry } from '../../src/index.js';
import {
  type Served,
  appModule,
  closeAll,
  everyPlatform,
  platforms,
  quiet,
  watch,
} from '../support/boot.js';
import { freePort } from '../support/http.js';
import { Visits, outcome } from '../support/wait.js';

const SECRET = 'secret-upstream';
const failing = { consecutiveFailures: 1, openFor: '4s' } as const;
const visits = new Visits();

class Shelf {
  @CircuitBreaker({ name: `${SECRET}-shelf`, ...failing })
  async books(): Promise<never> {
    throw new BadGatewayException();
  }
}

@Controller()
class Handlers {
  private readonly shelf = new Shelf();

  @Get('good')
  @MessagePattern('good')
  @Retry()
  @CircuitBreaker('good')
  async good(): Promise<string> {
    visits.visit();
    return 'books';
  }

  @Get('rejected')
  @MessagePattern('rejected')
  @CircuitBreaker({ name: SECRET, ...failing })
  async rejected(): Promise<never> {
    throw new BadGatewayException();
  }

  @Get('undecorated')
  @MessagePattern('undecorated')
  undecorated(): Promise<never> {
    return this.shelf.books();
  }
}

describe.each(everyPlatform)('a hybrid application on %s', (platform) => {
  describe.each([
    ['with inheritAppConfig', true],
    ['without inheritAppConfig', false],
  ])('%s', (_title, inheritAppConfig) => {
    let server: Served;
    let client: ClientProxy;

    const ask = async (pattern: string): Promise<unknown> =>
      (await outcome(firstValueFrom(client.send(pattern, {})))).error;

    beforeAll(async () => {
      const { AppModule, clock } = appModule({ controllers: [Handlers] });
      const app = await NestFactory.create<INestApplication>(
        AppModule,
        await platforms[platform](),
        quiet,
      );
      // before the microservice, which reads them when it is connected
      app.useGlobalFilters(new ResilienceExceptionFilter());
      const options = { host: '127.0.0.1', port: await freePort() };
      app.connectMicroservice<MicroserviceOptions>(
        { transport: Transport.TCP, options },
        { inheritAppConfig },
      );
      await app.startAllMicroservices();
      await app.listen(0, '127.0.0.1');
      server = { app, clock, url: await app.getUrl(), ...watch(app) };
      client = ClientProxyFactory.create({ transport: Transport.TCP, options });
    });

    beforeEach(() => {
      visits.count = 0;
      for (const { name } of server.registry.list()) server.registry.get(name).reset();
    });

    afterAll(async () => {
      await client.close();
      await closeAll();
    });

    it('runs the policies of one handler exactly once, by route and by message', async () => {
      expect(await (await fetch(`${server.url}/good`)).text()).toBe('books');
      expect(await firstValueFrom(client.send('good', {}))).toBe('books');
      expect(visits.count).toBe(2);
      expect(server.registry.get('good').counts).toMatchObject({ requests: 2, successes: 2 });
    });

    it('reports a rejection to callers by route and by message, each in its form', async () => {
      await ask('rejected');
      expect(await ask('rejected')).toEqual({ code: 'CIRCUIT_OPEN', retryAfterMs: 4_000 });
      const { status, headers } = await fetch(`${server.url}/rejected`);
      expect([status, headers.get('retry-after')]).toEqual([503, '4']);
    });

    it(`${inheritAppConfig ? 'has' : 'does not have'} the global filter for messages to handlers without policies`, async () => {
      await ask('undecorated');
      const { status } = await fetch(`${server.url}/undecorated`);
      expect(status).toBe(503);
      expect(await ask('undecorated')).toEqual(
        inheritAppConfig
          ? { code: 'CIRCUIT_OPEN', retryAfterMs: 4_000 }
          : { status: 'error', message: 'Internal server error' },
      );
    });
  });
});
