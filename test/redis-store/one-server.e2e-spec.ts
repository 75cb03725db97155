import { storeContract } from 'nest-resilience/testing';
import { redisStore } from 'nest-resilience/redis';
import { describeWithRedis } from '../support/redis.js';
import { SINGLE, documentedUser, type TestClient } from '../support/redis-clients.js';
import { RedisServer } from '../support/redis-servers.js';

describeWithRedis('a store in one Redis', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start();
    await server.tell(['acl', 'setuser', ...documentedUser()]);
  });

  afterAll(() => server.end());

  describe.each(Object.keys(SINGLE))('by a client of %s, keeps the contract', (name) => {
    let client: TestClient | undefined;

    beforeAll(async () => {
      client = await SINGLE[name]!(server.port);
    });

    afterAll(() => client?.end());

    const cases = storeContract({
      connect: (space) => redisStore({ client: client!.client, prefix: `resilience:${space}:` }),
      lose: () => server.tell(['flushall']).then(() => {}),
    });
    test.each(cases)('$title', ({ run }) => run());
  });

  describe('by a client of its own, keeps the contract', () => {
    const cases = storeContract({
      connect: (space) =>
        redisStore({
          url: server.url.replace('//', '//resilience:password@'),
          prefix: `resilience:${space}:`,
        }),
      lose: () => server.tell(['flushall']).then(() => {}),
    });
    test.each(cases)('$title', ({ run }) => run());
  });
});
