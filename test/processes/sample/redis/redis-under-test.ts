import { connect, createServer, type Server, type Socket } from 'node:net';
import { accepts, freePort, HOST, until } from '../../../../sample/launcher/src/net.js';
import { isInstalled, OwnProcess } from '../lib/own-process.js';

/** A Redis that can be taken away and given back. */
export interface RedisUnderTest {
  readonly description: string;
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

const PROGRAM = 'redis-server';

/** A redis-server process of our own: stopped and frozen for real. */
export class OwnRedis implements RedisUnderTest {
  readonly description = 'a redis-server of its own';
  private readonly server = new OwnProcess(PROGRAM);

  private constructor(private readonly port: number) {}

  /** @returns undefined when PATH has no redis-server */
  static async create(): Promise<OwnRedis | undefined> {
    return (await isInstalled(PROGRAM)) ? new OwnRedis(await freePort()) : undefined;
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  async start(): Promise<void> {
    const address = ['--port', String(this.port), '--bind', HOST];
    this.server.start([...address, '--save', '', '--appendonly', 'no']);
    await until('redis-server listens', () => accepts(this.port));
  }

  async stop(): Promise<void> {
    await this.server.kill();
  }

  freeze(): void {
    this.server.freeze();
  }

  thaw(): void {
    this.server.thaw();
  }
}

/** Somebody else's Redis is left alone: a proxy in front of it refuses connections or holds all bytes back. */
export class ProxiedRedis implements RedisUnderTest {
  readonly description =
    'the Redis of REDIS_URL, behind a proxy that is stopped and frozen in its place';
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private frozen = false;

  private constructor(
    private readonly target: URL,
    private readonly port: number,
  ) {}

  static async create(url: string): Promise<ProxiedRedis> {
    return new ProxiedRedis(new URL(url), await freePort());
  }

  get url(): string {
    const url = new URL(this.target);
    url.host = `${HOST}:${this.port}`;
    return url.href;
  }

  async start(): Promise<void> {
    const server = createServer((client) => this.connect(client));
    this.server = server;
    await new Promise<void>((resolve) => server.listen(this.port, HOST, resolve));
  }

  async stop(): Promise<void> {
    this.thaw();
    const server = this.server;
    this.server = undefined;
    if (server !== undefined) {
      const closed = new Promise((resolve) => server.close(resolve));
      this.sockets.forEach((socket) => socket.destroy());
      await closed;
    }
  }

  freeze(): void {
    this.frozen = true;
    this.sockets.forEach((socket) => socket.pause());
  }

  thaw(): void {
    this.frozen = false;
    this.sockets.forEach((socket) => socket.resume());
  }

  private connect(client: Socket): void {
    const redis = connect(Number(this.target.port || 6379), this.target.hostname);
    const pair = [client, redis] as const;
    for (const socket of pair) {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        pair.forEach((each) => each.destroy());
      });
    }
    client.on('data', (data) => redis.write(data));
    redis.on('data', (data) => client.write(data));
    if (this.frozen) {
      pair.forEach((socket) => socket.pause());
    }
  }
}
