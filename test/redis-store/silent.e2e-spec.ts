import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
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

describeWithRedis('a connection of the store’s own client that dies without a sign', () => {
  const relay = new Relay();
  let server: RedisServer;
  let driver: UrlDriver;

  beforeAll(async () => {
    server = await RedisServer.start();
    driver = new UrlDriver(await relay.listen(server.port), SILENT);
  });

  afterAll(async () => {
    await driver.close();
    relay.end();
    await server.end();
  });

  /** `PONG`, or nothing in time: as with the time budget of a step. */
  async function ping(): Promise<unknown> {
    const late = new Promise((resolve) => setTimeout(resolve, SILENT).unref());
    return Promise.race([driver.send('', ['PING']).catch(() => undefined), late]);
  }

  it('is replaced, also for messages', async () => {
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
    await until('it answers again', async () => (await ping()) === 'PONG', { everyMs: 10 });
    await until('it listens again', () => reconnections === 1, { everyMs: 10 });
    await server.tell(['publish', 'channel', 'news']);
    await until('the message is told', () => heard.length > 0, { everyMs: 5 });
    expect(heard).toEqual(['news']);
    expect(relay.count).toBe(4);
  });
});
