import { BadGatewayException, Controller, Get, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientProxyFactory,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import type * as Library from '../src/index.js';
import { CircuitBreaker, ResilienceModule, Retry, Signal, constant } from '../src/index.js';
import { ManualClock } from '../src/testing/index.js';
import { platforms, quiet } from './support/boot.js';
import { freePort, request } from './support/http.js';
import { Visits, outcome, until } from './support/wait.js';

/** The library once more, as when an application has both its builds, with the same Nest. */
function anotherCopy(): typeof Library {
  const names = ['@nestjs/common', '@nestjs/core', 'rxjs', 'reflect-metadata'];
  const same = new Map(names.map((name) => [name, jest.requireActual<object>(name)]));
  let copy!: typeof Library;
  jest.isolateModules(() => {
    for (const [name, module] of same) jest.doMock(name, () => module);
    copy = jest.requireActual<typeof Library>('../src/index.js');
    for (const name of names) jest.dontMock(name);
  });
  return copy;
}

const other = anotherCopy();
const visits = new Visits();

@Injectable()
class Shelf {
  @Retry({ backoff: constant('1s') })
  @other.CircuitBreaker('shelf')
  async books(): Promise<string> {
    if (visits.visit() === 1) throw new BadGatewayException();
    return 'books';
  }
}

@Controller()
class Handlers {
  constructor(readonly shelf: Shelf) {}

  @Get('handler')
  @Retry({ backoff: constant('1s') })
  @other.CircuitBreaker('handler')
  async handler(@other.Signal() theirs: AbortSignal, @Signal() own: AbortSignal): Promise<string> {
    if (visits.visit() === 1) throw new BadGatewayException();
    return `${theirs.constructor.name} ${theirs === own}`;
  }

  @Get('service')
  service(): Promise<string> {
    return this.shelf.books();
  }

  @MessagePattern('message')
  @CircuitBreaker('secret-upstream')
  async message(): Promise<string> {
    return 'books';
  }
}

describe('decorators of one copy of the library, in an application of another one', () => {
  it('are of two copies', () => {
    expect(other.ResilienceModule).not.toBe(ResilienceModule);
  });

  it('apply once, and their rejections are answered in the way of each transport', async () => {
    const clock = new ManualClock();
    @Module({
      imports: [
        other.ResilienceModule.forRoot({ clock, logger: false }),
        ResilienceModule.forFeature({ overrides: { 'Shelf.books': { retry: { maxRetries: 1 } } } }),
      ],
      controllers: [Handlers],
      providers: [Shelf],
    })
    class AppModule {}
    const app = await NestFactory.create(AppModule, await platforms.Express(), quiet);
    const options = { host: '127.0.0.1', port: await freePort() };
    app.connectMicroservice<MicroserviceOptions>({ transport: Transport.TCP, options });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const registry = app.get(other.CircuitBreakerRegistry);

    for (const [path, breaker, body] of [
      ['handler', 'handler', 'AbortSignal true'],
      ['service', 'shelf', 'books'],
    ] as const) {
      visits.count = 0;
      const { answer } = request(`${url}/${path}`);
      await until(() => visits.count === 1 && clock.pending > 0);
      await clock.advance(1_000);
      expect(await answer).toMatchObject({ status: 200, body });
      expect(registry.get(breaker).counts).toMatchObject({ successes: 1, failures: 1 });
    }

    registry.get('secret-upstream').forceOpen();
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options });
    const { error } = await outcome(firstValueFrom(client.send('message', {})));
    expect(error).toEqual({ code: 'CIRCUIT_OPEN' });
    client.close();
    await app.close();
  });
});
