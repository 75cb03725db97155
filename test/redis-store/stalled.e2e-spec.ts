import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { RateLimit, RateLimitRegistry } from '../../src/index.js';
import { systemClock } from '../../src/common/clock.js';
import { redisStore } from 'nest-resilience/redis';
import { boot, closeAll, of } from '../support/boot.js';
import { describeWithRedis } from '../support/redis.js';
import { SINGLE, documentedUser, type TestClient } from '../support/redis-clients.js';
import { RedisServer } from '../support/redis-servers.js';

/** The wait of a call, and the time for which the event loop is blocked, milliseconds. */
const CALL_TIMEOUT = 150;
const STALL = 200;

@Injectable()
class Client {
  @RateLimit({ name: 'api', limit: 100, per: '1h', burst: 100, scope: 'shared' })
  async limited(): Promise<void> {}
}

function stall(): void {
  const end = performance.now() + STALL;
  while (performance.now() < end);
}

describeWithRedis('a Redis that answers while the event loop stands still', () => {
  let server: RedisServer;
  let client: TestClient | undefined;

  beforeAll(async () => {
    server = await RedisServer.start();
    await server.tell(['acl', 'setuser', ...documentedUser()]);
  });

  afterEach(async () => {
    await closeAll();
    client?.end();
  });

  afterAll(() => server.end());

  it.each(Object.keys(SINGLE))('has answered in time, by a client of %s', async (name) => {
    client = await SINGLE[name]!(server.port);
    const store = redisStore({ client: client.client, prefix: `resilience:${name}:` });
    const { app, events } = await boot({
      providers: [Client],
      resilience: { clock: systemClock, store, fleet: { callTimeout: CALL_TIMEOUT } },
    });
    const limited = app.get(Client);
    await limited.limited(); // the script is known from now on
    const early = limited.limited(); // the loop is blocked before the request is written
    stall();
    await early;
    await Promise.all([limited.limited(), nextTurn().then(stall)]); // and after it
    expect(app.get(RateLimitRegistry).get('api').remaining).toBe(97);
    expect(of('store-degraded', events)).toEqual([]);
  });
});
