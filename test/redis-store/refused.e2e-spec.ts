import type { ResilienceStore } from '../../src/fleet/store.js';
import { redisStore } from 'nest-resilience/redis';
import { until } from '../../sample/launcher/src/net.js';
import { describeWithRedis } from '../support/redis.js';
import { SINGLE, documentedUser, type TestClient } from '../support/redis-clients.js';
import { RedisServer } from '../support/redis-servers.js';

describeWithRedis.each(Object.keys(SINGLE))('a store by %s', (name) => {
  let server: RedisServer;
  let client: TestClient;
  let store: ResilienceStore;

  async function start(...args: string[]): Promise<void> {
    server = await RedisServer.start(...args);
    await server.tell(['acl', 'setuser', ...documentedUser()]);
    client = await SINGLE[name]!(server.port);
    store = redisStore({ client: client.client });
  }

  afterEach(async () => {
    await store.close();
    client.end();
    await server.end();
  });

  it('makes steps on a server that does not permit its messages', async () => {
    await start();
    await server.tell(['acl', 'setuser', 'resilience', 'resetchannels']);
    const place = { instanceId: 'a', limit: 1, leaseMs: 60_000 };
    const reset = await store.circuit('name', { type: 'reset' });
    expect(reset.view).toMatchObject({ state: 'closed', epoch: 1 });
    expect(await store.changeSettings(0, '{}')).toMatchObject({ revision: 1, changed: true });
    await store.places('name', { type: 'acquire', token: '1', ...place });
    await store.places('name', { type: 'acquire', token: '2', ...place });
    const released = await store.places('name', { type: 'release', token: '1' });
    expect(released).toMatchObject({ granted: true, inUse: 0 });
  });

  it('reads all circuits of a server that is a cluster of its own', async () => {
    await start('--cluster-enabled', 'yes');
    await server.tell(['cluster', 'addslotsrange', '0', '16383']);
    await until('the cluster is up', async () => {
      return (await server.tell<string>(['cluster', 'info'])).includes('cluster_state:ok');
    });
    const names = ['books', 'reviews', 'prices'];
    for (const each of names) await store.circuit(each, { type: 'reset' });
    for (const _again of [1, 2]) {
      const views = await store.circuits([...names, 'unknown']);
      expect(views.map((view) => view?.epoch)).toEqual([1, 1, 1, undefined]);
    }
    // More than a client of the store's own has room for at once.
    const own = redisStore({ url: server.url });
    const many = Array.from({ length: 1_100 }, (_, i) => `circuit ${i}`);
    const epochs = (await own.circuits([...names, ...many])).map((view) => view?.epoch);
    await own.close();
    expect(epochs).toEqual([1, 1, 1, ...many.map(() => undefined)]);
  });
});
