import { redisStore } from 'nest-resilience/redis';
import { until } from '../../sample/launcher/src/net.js';
import { boot, closeAll } from '../support/boot.js';
import { describeWithRedis } from '../support/redis.js';
import { RedisServer } from '../support/redis-servers.js';

describeWithRedis('an application with a store by url', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterEach(closeAll);
  afterAll(() => server.end());

  const living = (): Promise<number> => server.tell<number>(['zcard', 'resilience:{fleet}:alive']);
  const connections = async (): Promise<number> =>
    (await server.tell<string>(['client', 'list'])).trim().split('\n').length - 1;

  it('has left the fleet when it has closed, and leaves no connection', async () => {
    const { app } = await boot({ resilience: { store: redisStore({ url: server.url }) } });
    await until('it is alive', async () => (await living()) === 1);
    await app.close();
    await until('it has left', async () => (await living()) === 0);
    await until('its connections are closed', async () => (await connections()) === 0);
  });
});
