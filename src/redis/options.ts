import { ResilienceConfigurationError } from '../common/errors.js';
import { requireOptions } from '../common/given.js';
import { OptionsReader, Problems } from '../common/options-reader.js';
import { show } from '../common/printable.js';
import { look } from '../common/outcomes/look.js';

/**
 * A client of `redis` (node-redis 4 and later) or `ioredis` 5: of one server, of Sentinels, or of a cluster. Whoever
 * has made it also connects it.
 */
export interface RedisClient {
  /** Makes the connection that listens. */
  readonly duplicate: (...args: never[]) => unknown;
  /** Listens to the channel. */
  readonly subscribe: (...args: never[]) => unknown;
  /** Makes a step. */
  readonly sendCommand: (...args: never[]) => unknown;
}

/** Where the Redis is: one of `client` and `url`. */
export interface RedisStoreOptions {
  /**
   * The application's client. The store neither closes nor configures it. For messages it makes a second connection like it;
   * clients of clusters and those of node-redis for Sentinels have one already.
   */
  readonly client?: RedisClient;
  /**
   * Such as `redis://:password@localhost:6379` or `rediss://redis.example.com`: the store makes a client of its own, with
   * the package `redis` or else `ioredis`.
   */
  readonly url?: string;
  /** Prefix of all keys and of the channel. Applications that share it share circuits and limits. Default: `resilience:` */
  readonly prefix?: string;
}

export interface RedisStoreSettings {
  readonly client: RedisClient | undefined;
  readonly url: string | undefined;
  readonly prefix: string;
}

/** @throws ResilienceConfigurationError for wrong options, all at once */
export function readRedisStoreOptions(options: RedisStoreOptions): RedisStoreSettings {
  const where = 'redisStore()';
  const given = requireOptions(where, options, { right: 'an object with client or url' });
  const problems = new Problems();
  const read = new OptionsReader(given, where, problems);
  const client = read.raw('client');
  const url = read.text('url');
  const prefix = read.unicodeText('prefix') ?? 'resilience:';
  if (client === undefined && read.raw('url') === undefined) {
    problems.add(where, 'neither client nor url is given; give one of them');
  }
  if (client !== undefined && url !== undefined) {
    problems.add(where, 'both client and url are given; give only one of them');
  }
  if (client !== undefined && !isClient(client)) {
    problems.add(
      where,
      `client is ${show(client)}; use a client of redis (node-redis 4 or later) or ioredis 5`,
    );
  }
  if (url !== undefined && !/^rediss?:\/\/\S+$/.test(url)) {
    // It may hold a password.
    problems.add(where, 'url starts with neither redis:// nor rediss://');
  }
  if (/[{}]/.test(prefix)) {
    problems.add(
      where,
      `prefix is ${show(prefix)}; braces would move the keys of one name to different nodes of a cluster`,
    );
  }
  read.done();
  if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
  return { client, url, prefix };
}

function isClient(client: unknown): boolean {
  return ['duplicate', 'subscribe', 'sendCommand'].every(
    (name) => typeof look(client, name) === 'function',
  );
}
