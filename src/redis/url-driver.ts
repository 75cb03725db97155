import { swallow } from '../common/outcomes/look.js';
import { settledWithin } from '../common/settled-within.js';
import { CONNECT_MS, type RedisDriver } from './driver.js';
import { type IoRedis, IoRedisDriver, OWN_OPTIONS } from './ioredis.js';
import { type NodeRedis, NodeRedisDriver, ownOptions } from './node-redis.js';

/** How long a connection may be silent while steps wait, milliseconds. Then it counts as dead. */
const SILENT_MS = 5_000;

/** One client, and whether the server has said anything lately. */
class Connection {
  readonly driver: Promise<RedisDriver>;
  /** Whether steps have waited in vain, so that the connection must be replaced. */
  dead = false;
  private waiting = 0;
  private ends = 0;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(
    url: string,
    private readonly silentMs: number,
  ) {
    this.driver = connectTo(url);
    // The steps that wait for it are rejected with it.
    this.driver.catch(() => {});
  }

  async send(key: string, command: readonly string[]): Promise<unknown> {
    const driver = await this.driver;
    this.waiting += 1;
    if (this.timer === undefined) this.watch();
    try {
      return await driver.send(key, command);
    } catch (error) {
      // `The client is offline` explains nothing: say that the server refuses connections, or the password.
      throw driver.problem ?? error;
    } finally {
      this.waiting -= 1;
      this.ends += 1;
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    const driver = await this.driver.catch(() => undefined);
    await driver?.close();
  }

  private watch(): void {
    const { ends } = this;
    const check = (): void => {
      this.timer = undefined;
      const silent = this.waiting > 0 && this.ends === ends;
      if (silent) this.dead = true;
      else if (this.waiting > 0) this.watch();
    };
    // If the event loop stands still, what has arrived meanwhile is read first.
    this.timer = setTimeout(() => setImmediate(check), this.silentMs);
    this.timer.unref();
  }
}

/** A subscription, which is moved to each new connection. */
interface Listening {
  readonly args: Parameters<RedisDriver['listen']>;
  leave: () => Promise<void>;
}

/**
 * A client of our own, of whichever package is installed. A connection that has broken without a sign, as behind a firewall
 * or after the loss of a host, would stay silent until the operating system gives it up, a quarter of an hour later.
 */
export class UrlDriver implements RedisDriver {
  readonly cluster = false;
  readonly keyPrefix = '';
  private connection: Connection;
  private readonly listenings = new Set<Listening>();

  constructor(
    private readonly url: string,
    private readonly silentMs = SILENT_MS,
  ) {
    this.connection = this.connect();
  }

  send(key: string, command: readonly string[]): Promise<unknown> {
    if (this.connection.dead) this.renew();
    return this.connection.send(key, command);
  }

  async listen(...args: Parameters<RedisDriver['listen']>): Promise<() => Promise<void>> {
    const driver = await this.connection.driver;
    const listening: Listening = { args, leave: await driver.listen(...args) };
    this.listenings.add(listening);
    return () => {
      this.listenings.delete(listening);
      return listening.leave();
    };
  }

  async close(): Promise<void> {
    this.listenings.clear();
    await this.connection.close();
  }

  private connect(): Connection {
    return new Connection(this.url, this.silentMs);
  }

  private renew(): void {
    swallow(this.connection.close());
    this.connection = this.connect();
    for (const listening of this.listenings) swallow(this.listenAgain(listening));
  }

  private async listenAgain(listening: Listening): Promise<void> {
    const driver = await this.connection.driver;
    const leave = await driver.listen(...listening.args);
    if (!this.listenings.has(listening)) return leave();
    listening.leave = leave;
    const [, , reconnected] = listening.args;
    reconnected();
  }
}

/** Rejects if no package is installed; if the server is missing, the first commands report it. */
async function connectTo(url: string): Promise<RedisDriver> {
  const driver = await load(url);
  await settledWithin(driver.connect(), CONNECT_MS);
  return driver;
}

async function load(url: string): Promise<NodeRedisDriver | IoRedisDriver> {
  const nodeRedis = await nodeRedisIfInstalled();
  if (nodeRedis !== undefined) {
    return new NodeRedisDriver(nodeRedis.createClient(ownOptions(url)), true);
  }
  const ioRedis = await ioRedisIfInstalled();
  if (ioRedis !== undefined) return new IoRedisDriver(new ioRedis.Redis(url, OWN_OPTIONS), true);
  throw new Error('redisStore({ url }) needs the package redis or ioredis: npm install redis');
}

interface NodeRedisPackage {
  createClient(options: object): NodeRedis;
}

interface IoRedisPackage {
  readonly Redis: new (url: string, options: object) => IoRedis;
}

// Bundlers accept that a package is missing only where its import stands in a `try` block of the same function.

async function nodeRedisIfInstalled(): Promise<NodeRedisPackage | undefined> {
  try {
    return exportsOf<NodeRedisPackage>(await import('redis'));
  } catch (error) {
    return undefinedIfMissing(error);
  }
}

async function ioRedisIfInstalled(): Promise<IoRedisPackage | undefined> {
  try {
    return exportsOf<IoRedisPackage>(await import('ioredis'));
  } catch (error) {
    return undefinedIfMissing(error);
  }
}

/** The exports of a package; those of a CommonJS package are complete only in its default export. */
function exportsOf<T>(module: object): T {
  return (module as { default?: T }).default ?? (module as T);
}

/** @throws the error, if it is not that of a package that is not installed */
function undefinedIfMissing(error: unknown): undefined {
  const { code } = error as { code?: unknown };
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') throw error;
}
