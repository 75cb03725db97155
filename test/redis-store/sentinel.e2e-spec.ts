import type { ResilienceStore, StoreMessage } from '../../src/fleet/store.js';
import { storeContract } from 'nest-resilience/testing';
import { redisStore } from 'nest-resilience/redis';
import { until } from '../../sample/launcher/src/net.js';
import { describeWithRedis } from '../support/redis.js';
import { SENTINEL, type TestClient } from '../support/redis-clients.js';
import { startSentinels } from '../support/redis-servers.js';

/** Steps reject while there is no primary. */
async function untilItAnswers(store: ResilienceStore): Promise<void> {
  await until('the store answers again', () =>
    store.changeSettings(-1, '{}').then(
      () => true,
      () => false,
    ),
  );
}

describeWithRedis('a store behind Sentinels whose primary is killed', () => {
  let servers: Awaited<ReturnType<typeof startSentinels>>;
  const clients = new Map<string, TestClient>();
  const stores = new Map<string, ResilienceStore>();
  const heard = new Map<string, StoreMessage[]>();

  beforeAll(async () => {
    servers = await startSentinels();
    const ports = servers.sentinels.map(({ port }) => port);
    for (const [name, connect] of Object.entries(SENTINEL)) {
      const client = await connect(ports);
      const store = redisStore({ client: client.client, prefix: `${name}:` });
      const messages: StoreMessage[] = [];
      await store.subscribe((message) => void messages.push(message));
      await store.circuit('before', { type: 'override', override: { state: 'forced-open' } });
      clients.set(name, client);
      stores.set(name, store);
      heard.set(name, messages);
    }
    await servers.primary.tell(['wait', '1', '2000']);
    await servers.primary.kill();
    await Promise.all([...stores.values()].map(untilItAnswers));
  }, 60_000);

  afterAll(async () => {
    await Promise.all([...stores.values()].map((store) => store.close()));
    for (const client of clients.values()) client.end();
    const { primary, replica, sentinels } = servers;
    await Promise.all([...sentinels, replica, primary].map((server) => server.end()));
  });

  it('goes on with the data of the replica', async () => {
    for (const store of stores.values()) {
      const [view] = await store.circuits(['before']);
      expect(view?.override).toEqual({ state: 'forced-open' });
    }
  });

  describe.each(Object.keys(SENTINEL))('by a client of %s', (name) => {
    it('receives messages again', async () => {
      const messages = heard.get(name)!;
      await until('a change is told', async () => {
        await stores.get(name)!.circuit('after', { type: 'reset' });
        return messages.some((message) => message.type === 'circuit' && message.name === 'after');
      });
    });

    const cases = storeContract({
      connect: (space) => redisStore({ client: clients.get(name)!.client, prefix: space }),
      lose: () => servers.replica.tell(['flushall']).then(() => {}),
    });
    test.each(cases)('keeps the contract: $title', ({ run }) => run());
  });
});
