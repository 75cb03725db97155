import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { createClient as createNextClient } from 'redis-next';
import type { OwnDriver } from '../../src/redis/driver.js';
import { IoRedisDriver, OWN_OPTIONS } from '../../src/redis/ioredis.js';
import { type NodeRedis, NodeRedisDriver, ownOptions } from '../../src/redis/node-redis.js';
import { OwnConnection } from '../../src/redis/own-connection.js';
import { UrlDriver } from '../../src/redis/url-driver.js';
import { HOST, until } from '../../sample/launcher/src/net.js';
import { describeWithRedis } from '../support/redis.js';
import { RedisServer } from '../support/redis-servers.js';

/** How long a connection may be silent here, milliseconds. */
const SILENT = 150;

/** Between a client and a server: its connections can die without a sign. */
class Relay {
  /** Those that have been opened. */
  count = 0;
  private readonly sockets = new Set<Socket>();
  private readonly dead = new WeakSet<Socket>();
  /** Whether new connections carry nothing. */
  mute = false;
  private server: Server | undefined;

  async listen(port: number): Promise<string> {
    this.server = createServer((near) => {
      this.count += 1;
      const far = connect(port, HOST);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(from);
        if (this.mute) this.dead.add(from);
        from.on('data', (bytes) => void (this.dead.has(from) || to.write(bytes)));
        from.on('error', () => {});
        from.on('close', () => void (this.dead.has(from) || to.destroy()));
      }
    });
    await once(this.server.listen(0, HOST), 'listening');
    return `redis://${HOST}:${(this.server.address() as AddressInfo).port}`;
  }

  /** All connections there are stay open, and carry nothing from now on. */
  silence(): void {
    for (const socket of this.sockets) this.dead.add(socket);
  }

  end(): void {
    this.server?.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

/** A driver with a client of each package that a store may make. */
const drivers: Record<string, (url: string) => OwnDriver> = {
  'node-redis 4': (url) =>
    new NodeRedisDriver(createClient(ownOptions(url)) as unknown as NodeRedis, true),
  'node-redis 6': (url) => new NodeRedisDriver(createNextClient(ownOptions(url)), true),
  ioredis: (url) => new IoRedisDriver(new Redis(url, OWN_OPTIONS), true),
};

describeWithRedis('the store’s own client', () => {
  let server: RedisServer;
  let relay: Relay;
  let url: string;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  beforeEach(async () => {
    relay = new Relay();
    url = await relay.listen(server.port);
  });

  afterEach(() => relay.end());
  afterAll(() => server.end());

  /** `PONG`, or nothing in time: as with the time budget of a step. */
  async function ping(driver: UrlDriver): Promise<unknown> {
    const late = new Promise((resolve) => setTimeout(resolve, SILENT).unref());
    return Promise.race([driver.send('', ['PING']).catch(() => undefined), late]);
  }

  it('is replaced when its connection dies without a sign, also for messages', async () => {
    const driver = new UrlDriver(url, SILENT);
    const heard: string[] = [];
    let reconnections = 0;
    await driver.listen(
      'channel',
      (message) => heard.push(message),
      () => (reconnections += 1),
    );
    expect(await driver.send('', ['PING'])).toBe('PONG');
    expect(relay.count).toBe(2);
    relay.silence();
    await until('it answers again', async () => (await ping(driver)) === 'PONG', { everyMs: 10 });
    await until('it listens again', () => reconnections === 1, { everyMs: 10 });
    await server.tell(['publish', 'channel', 'news']);
    await until('the message is told', () => heard.length > 0, { everyMs: 5 });
    expect(heard).toEqual(['news']);
    expect(relay.count).toBe(4);
    await driver.close();
  });

  describe.each(Object.entries(drivers))('of %s', (_, make) => {
    let deaths: number;
    let connection: OwnConnection;

    const connect = (): OwnConnection => {
      deaths = 0;
      connection = new OwnConnection(Promise.resolve(make(url)), () => (deaths += 1), SILENT);
      return connection;
    };

    const pingOnce = (): Promise<unknown> => connection.send('', ['PING']);

    afterEach(() => connection.close());

    it('rejects the steps that wait when its connection is dead', async () => {
      expect(await connect().send('', ['PING'])).toBe('PONG');
      relay.silence();
      await expect(pingOnce()).rejects.toThrow('no sign of life for 150 ms');
      expect(deaths).toBe(1);
      await expect(pingOnce()).rejects.toThrow('no sign of life for 150 ms');
    });

    it('is dead when the server never answers the handshake', async () => {
      relay.mute = true;
      connect();
      const pinging = async (): Promise<boolean> => {
        await pingOnce().catch(() => {});
        return deaths === 1;
      };
      await until('it is given up', pinging, { everyMs: 10 });
    });

    it('lives while nothing is asked of it, while errors come, and while the server refuses', async () => {
      connect();
      expect(await pingOnce()).toBe('PONG');
      await new Promise((resolve) => setTimeout(resolve, 2 * SILENT));
      await expect(connection.send('', ['NONSENSE'])).rejects.toThrow('unknown command');
      relay.end();
      const refused = async (): Promise<boolean> => {
        const error: unknown = await pingOnce().catch((e: unknown) => e);
        return String(error).includes('ECONNREFUSED');
      };
      await until('it is refused', refused, { everyMs: 10 });
      expect(deaths).toBe(0);
    });

    it('leaves no connection when it is closed while it connects', async () => {
      const before = await clients();
      connect();
      const driver = make(server.url);
      void driver.connect(() => {});
      const listening = driver.listen(
        'channel',
        () => {},
        () => {},
      );
      listening.catch(() => {});
      await driver.close();
      await connection.close();
      await new Promise((resolve) => setTimeout(resolve, 50));
      await until('they are gone', async () => (await clients()) === before, { everyMs: 10 });
    });

    async function clients(): Promise<number> {
      return String(await server.tell(['client', 'list']))
        .trim()
        .split('\n').length;
    }
  });
});
