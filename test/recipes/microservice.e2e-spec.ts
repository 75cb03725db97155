import { Controller } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientsModule,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { CircuitBreaker } from '../../src/index.js';
import { type Booted, appModule, boot, closeAll, quiet, watch } from '../support/boot.js';
import { freePort } from '../support/http.js';
import { Visits, settle, until } from '../support/wait.js';
import { ShippingClient } from './microservice.js';

const visits = new Visits();
let failures = 0;

@Controller()
class Shipping {
  @MessagePattern('shipping.quote')
  @CircuitBreaker({ name: 'trucks', consecutiveFailures: 1, openFor: '4s' })
  async quote(weight: number): Promise<object> {
    visits.visit();
    if (failures-- > 0) throw new Error('no trucks');
    return { price: weight * 2 };
  }
}

describe('the recipe for a client of a microservice', () => {
  let near: Booted;
  let far: Pick<Booted, 'registry' | 'clock'>;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    visits.count = failures = 0;
    const options = { host: '127.0.0.1', port: await freePort() };
    const { AppModule, clock } = appModule({ controllers: [Shipping] });
    const server = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
      transport: Transport.TCP,
      options,
      ...quiet,
    });
    await server.listen();
    stop = () => server.close();
    far = { clock, ...watch(server) };
    near = await boot({
      imports: [ClientsModule.register([{ name: 'SHIPPING', transport: Transport.TCP, options }])],
      providers: [ShippingClient],
    });
  });

  afterEach(closeAll);

  it('returns the answer of the service', async () => {
    expect(await near.app.get(ShippingClient).quote(21)).toEqual({ price: 42 });
  });

  it('retries at the time that the service gives', async () => {
    failures = 1;
    const quote = near.app.get(ShippingClient).quote(1);
    await until(() => near.registry.get('shippingsvc').counts.failures === 1);
    await near.clock.advance(500);
    await until(() => near.registry.get('shippingsvc').counts.failures === 2); // turned away
    await near.clock.advance(3_999);
    expect(near.registry.get('shippingsvc').counts.requests).toBe(2);
    await far.clock.advance(4_000);
    await near.clock.advance(1);
    expect(await quote).toEqual({ price: 2 });
    expect(visits.count).toBe(2);
  });

  it('answers with the flat rate when the service is gone', async () => {
    await stop();
    let answered = false;
    const quote = near.app
      .get(ShippingClient)
      .quote(1)
      .finally(() => (answered = true));
    while (!answered) {
      await near.clock.advance(500);
      await settle();
    }
    expect(await quote).toEqual({ price: 5 });
    expect(near.registry.get('shippingsvc').counts.failures).toBe(3);
  });
});
