import type { redisStore as RedisStore } from 'nest-resilience/redis';
import { describeWithRedis } from '../support/redis.js';
import { RedisServer } from '../support/redis-servers.js';

function missing(): never {
  throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
}

/** `redisStore()` where these packages are not installed. */
function without(...packages: string[]): typeof RedisStore {
  let found: typeof RedisStore | undefined;
  jest.isolateModules(() => {
    for (const name of packages) jest.doMock(name, missing);
    found = require('nest-resilience/redis').redisStore;
  });
  return found!;
}

describeWithRedis('a store that makes its client', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterEach(() => {
    for (const name of ['redis', 'ioredis']) jest.dontMock(name);
  });

  afterAll(() => server.end());

  it.each([
    ['redis', []],
    ['ioredis when redis is not installed', ['redis']],
    ['redis when ioredis is not installed', ['ioredis']],
  ])('uses %s', async (_, packages) => {
    const store = without(...packages)({ url: server.url });
    const heard = jest.fn();
    await store.subscribe(heard);
    const { view } = await store.circuit('name', { type: 'reset' });
    expect(view.state).toBe('closed');
    await store.close();
    await expect(store.settings()).rejects.toThrow('has been closed');
  });

  it.each([
    ['redis', []],
    ['ioredis', ['redis']],
  ])('says why it is not connected, by %s', async (_, packages) => {
    await server.tell(['acl', 'setuser', 'anna', 'on', '>secret', 'allkeys', 'allcommands']);
    const reasons: [url: string, reason: RegExp][] = [
      ['redis://127.0.0.1:1', /ECONNREFUSED/],
      [server.url.replace('//', '//anna:wrong@'), /WRONGPASS/],
    ];
    for (const [url, reason] of reasons) {
      const store = without(...packages)({ url });
      await expect(store.settings()).rejects.toThrow(reason);
      await store.close();
    }
  });

  it('rejects its steps with the names of the packages when both are missing', async () => {
    const store = without('redis', 'ioredis')({ url: server.url });
    await expect(store.settings()).rejects.toThrow(
      'redisStore({ url }) needs the package redis or ioredis: npm install redis',
    );
    await store.close();
  });
});
