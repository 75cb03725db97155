import { Redis } from 'ioredis';
import type { ResilienceStore, StoreMessage } from '../../src/fleet/store.js';
import { redisStore } from 'nest-resilience/redis';
import { HOST, until } from '../../sample/launcher/src/net.js';
import { describeWithRedis } from '../support/redis.js';
import { RedisServer } from '../support/redis-servers.js';

describeWithRedis('stores by clients of ioredis with keyPrefix', () => {
  let server: RedisServer;
  const clients: Redis[] = [];
  const stores: ResilienceStore[] = [];

  function storeWith(keyPrefix: string): ResilienceStore {
    const client = new Redis(server.port, HOST, { keyPrefix });
    const store = redisStore({ client });
    clients.push(client);
    stores.push(store);
    return store;
  }

  async function heardBy(store: ResilienceStore): Promise<StoreMessage[]> {
    const messages: StoreMessage[] = [];
    await store.subscribe((message) => void messages.push(message));
    return messages;
  }

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    for (const client of clients) client.disconnect();
    await server.end();
  });

  it('hear those of the same keyPrefix, and no others', async () => {
    const books = storeWith('books:');
    const others = await heardBy(storeWith('films:'));
    const same = await heardBy(storeWith('books:'));
    await books.circuit('name', { type: 'override', override: { state: 'forced-open' } });
    await books.changeSettings(0, '{}');
    await until('both are heard', () => same.length === 2);
    expect(same.map(({ type }) => type)).toEqual(['circuit', 'settings']);
    expect(others).toEqual([]);
  });
});
