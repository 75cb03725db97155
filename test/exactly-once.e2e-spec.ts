import { Controller, Get, type INestApplication, Injectable, Query, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientProxyFactory,
  type ClientProxy,
  EventPattern,
  MessagePattern,
  Payload,
  Transport,
} from '@nestjs/microservices';
import { firstValueFrom, Observable, of as just } from 'rxjs';
import { CircuitBreaker } from '../src/index.js';
import { appModule, closeAll, everyPlatform, platforms, serve, watch } from './support/boot.js';
import { freePort } from './support/http.js';
import { Visits } from './support/wait.js';

afterEach(closeAll);

const heard = new Visits();

@Injectable()
class Shelf {
  @CircuitBreaker('service')
  async books(): Promise<string> {
    return 'books';
  }
}

@Controller()
class Handlers {
  constructor(private readonly shelf: Shelf) {}

  @Get('promise')
  @CircuitBreaker('handler')
  async promise(): Promise<string> {
    return 'books';
  }

  @Get('observable')
  @CircuitBreaker('handler')
  observable(): Observable<string> {
    return just('books');
  }

  @Get('both')
  @CircuitBreaker('handler')
  async both(): Promise<string> {
    return this.shelf.books();
  }

  /** Undecorated: the decorated handler that it calls is just a method. */
  @Get('self')
  self(): Promise<string> {
    return this.promise();
  }

  @Get('recursion')
  @CircuitBreaker('handler')
  async recursion(@Query('depth') depth: string): Promise<string> {
    return Number(depth) > 0 ? this.recursion(String(Number(depth) - 1)) : 'books';
  }

  @Get('sibling')
  @CircuitBreaker('sibling')
  async sibling(): Promise<string> {
    return this.promise();
  }

  @MessagePattern('promise')
  @CircuitBreaker('handler')
  async message(@Payload() payload: unknown): Promise<unknown> {
    return { payload };
  }

  @MessagePattern('observable')
  @CircuitBreaker('handler')
  messages(@Payload() payload: unknown): Observable<unknown> {
    return just({ payload });
  }

  @EventPattern('event')
  @CircuitBreaker('handler')
  async event(@Payload() _payload: unknown): Promise<void> {
    heard.visit();
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedHandlers {
  @Get()
  @CircuitBreaker('handler')
  async promise(): Promise<string> {
    return 'books';
  }
}

const parts = { controllers: [Handlers, ScopedHandlers], providers: [Shelf] };

describe.each(everyPlatform)('policies apply once on %s to', (platform) => {
  it.each([
    ['a handler', 'promise', { handler: 1, service: 0, sibling: 0 }],
    ['a handler that returns an Observable', 'observable', { handler: 1, service: 0, sibling: 0 }],
    ['a handler of a request-scoped controller', 'scoped', { handler: 1, service: 0, sibling: 0 }],
    ['a handler, and the service that it calls', 'both', { handler: 1, service: 1, sibling: 0 }],
    [
      'a handler that another, undecorated one calls',
      'self',
      { handler: 1, service: 0, sibling: 0 },
    ],
    [
      'a handler that another, decorated one calls',
      'sibling',
      { handler: 1, service: 0, sibling: 1 },
    ],
    [
      'each call of a handler that calls itself',
      'recursion?depth=2',
      { handler: 3, service: 0, sibling: 0 },
    ],
  ])('%s', async (_, path, expected) => {
    const { url, registry } = await serve(platform, parts);
    const response = await fetch(`${url}/${path}`);
    expect(await response.text()).toBe('books');
    const counted = Object.keys(expected).map((name) => [name, registry.get(name).counts.requests]);
    expect(Object.fromEntries(counted)).toEqual(expected);
  });
});

describe('policies apply once over TCP', () => {
  let client: ClientProxy;
  afterEach(() => client.close());

  const quiet = { logger: false, abortOnError: false } as const;

  const servers: Record<string, (port: number) => Promise<INestApplication | NestMicroservice>> = {
    async 'in a microservice, where the interceptor runs'(port) {
      const app = await NestFactory.createMicroservice(appModule(parts).AppModule, {
        ...quiet,
        transport: Transport.TCP,
        options: { host: '127.0.0.1', port },
      });
      await app.listen();
      return app;
    },
    async 'in a hybrid application without inheritAppConfig'(port) {
      const app = await NestFactory.create(
        appModule(parts).AppModule,
        await platforms.Express(),
        quiet,
      );
      app.connectMicroservice({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
      await app.startAllMicroservices();
      await app.init();
      return app;
    },
    async 'in a hybrid application with inheritAppConfig'(port) {
      const app = await NestFactory.create(
        appModule(parts).AppModule,
        await platforms.Express(),
        quiet,
      );
      const options = { transport: Transport.TCP as const, options: { host: '127.0.0.1', port } };
      app.connectMicroservice(options, { inheritAppConfig: true });
      await app.startAllMicroservices();
      await app.init();
      return app;
    },
  };
  type NestMicroservice = Awaited<ReturnType<typeof NestFactory.createMicroservice>>;

  it.each(Object.entries(servers))('%s', async (_, start) => {
    const port = await freePort();
    const app = await start(port);
    const { registry } = watch(app);
    const requests = (): number => registry.get('handler').counts.requests;
    client = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port },
    });

    const answer = await firstValueFrom(client.send<unknown>('promise', 7));
    expect(answer).toEqual({ payload: 7 });
    expect(requests()).toBe(1);

    expect(await firstValueFrom(client.send<unknown>('observable', 8))).toEqual({ payload: 8 });
    expect(requests()).toBe(2);

    const before = heard.count;
    client.emit('event', {}).subscribe();
    await heard.reached(before + 1);
    expect(heard.count).toBe(before + 1);
    expect(requests()).toBe(3);
  });
});
