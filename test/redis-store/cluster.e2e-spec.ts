import { storeContract } from 'nest-resilience/testing';
import { redisStore } from 'nest-resilience/redis';
import { until } from '../../sample/launcher/src/net.js';
import { describeWithRedis } from '../support/redis.js';
import { CLUSTER, documentedUser, type TestClient } from '../support/redis-clients.js';
import { type RedisServer, startCluster } from '../support/redis-servers.js';

describeWithRedis('a store in a Redis Cluster of three nodes', () => {
  let nodes: RedisServer[] = [];

  beforeAll(async () => {
    nodes = await startCluster();
    const user = documentedUser('+cluster|slots', '+cluster|info');
    await Promise.all(nodes.map((node) => node.tell(['acl', 'setuser', ...user])));
  }, 30_000);

  afterAll(() => Promise.all(nodes.map((node) => node.end())));

  describe.each(Object.keys(CLUSTER))('by a client of %s, keeps the contract', (name) => {
    let client: TestClient | undefined;

    beforeAll(async () => {
      client = await CLUSTER[name]!(nodes.map(({ port }) => port));
    });

    afterAll(() => client?.end());

    const cases = storeContract({
      connect: (space) => redisStore({ client: client!.client, prefix: `resilience:${space}:` }),
      lose: () => Promise.all(nodes.map((node) => node.tell(['flushall']))).then(() => {}),
    });
    test.each(cases)('$title', ({ run }) => run());

    test('a store still hears when another one by the same client has closed', async () => {
      const prefix = 'resilience:one-client:';
      const [closing, staying] = [1, 2].map(() => redisStore({ client: client!.client, prefix }));
      const heard = jest.fn();
      await staying!.subscribe(heard);
      await closing!.subscribe(() => {});
      await closing!.close();
      await staying!.circuit('name', { type: 'reset' });
      await until('it hears', () => heard.mock.calls.length > 0);
      await staying!.close();
    });
  });
});
