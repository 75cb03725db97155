import { settledWithin } from '../common/settled-within.js';
import { CONNECT_MS, type RedisDriver } from './driver.js';
import { type IoRedis, IoRedisDriver, OWN_OPTIONS } from './ioredis.js';
import { type NodeRedis, NodeRedisDriver, ownOptions } from './node-redis.js';

/** A client of our own, of whichever package is installed. */
export class UrlDriver implements RedisDriver {
  readonly cluster = false;
  readonly keyPrefix = '';
  private readonly connected: Promise<RedisDriver>;

  constructor(url: string) {
    this.connected = connectTo(url);
    // The steps that wait for it are rejected with it.
    this.connected.catch(() => {});
  }

  async send(key: string, command: readonly string[]): Promise<unknown> {
    return (await this.connected).send(key, command);
  }

  async listen(
    channel: string,
    heard: (message: string) => void,
    reconnected: () => void,
  ): Promise<() => Promise<void>> {
    return (await this.connected).listen(channel, heard, reconnected);
  }

  async close(): Promise<void> {
    const driver = await this.connected.catch(() => undefined);
    await driver?.close();
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
