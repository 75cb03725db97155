import { swallow } from '../common/outcomes/look.js';
import type { OwnDriver, RedisDriver } from './driver.js';
import { type IoRedis, IoRedisDriver, OWN_OPTIONS } from './ioredis.js';
import { type NodeRedis, NodeRedisDriver, ownOptions } from './node-redis.js';
import { OwnConnection } from './own-connection.js';

/** A subscription, which is moved to each new connection. */
interface Listening {
  readonly args: Parameters<RedisDriver['listen']>;
  leave: () => Promise<void>;
}

/** A client of our own, of whichever package is installed; another one when its connection is dead. */
export class UrlDriver implements RedisDriver {
  readonly cluster = false;
  readonly keyPrefix = '';
  private connection: OwnConnection;
  private readonly listenings = new Set<Listening>();

  constructor(
    private readonly url: string,
    private readonly silentMs?: number,
  ) {
    this.connection = this.connect();
  }

  send(key: string, command: readonly string[]): Promise<unknown> {
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

  private connect(): OwnConnection {
    return new OwnConnection(load(this.url), () => this.renew(), this.silentMs);
  }

  private renew(): void {
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

/** Rejects if no package is installed. */
async function load(url: string): Promise<OwnDriver> {
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
