import { registerAs } from '@nestjs/config';
import { EnvReader } from '#common/env.js';

export interface StoragesvcConfig {
  readonly host: string;
  readonly port: number;
  readonly database: DatabaseConfig;
}

export interface DatabaseConfig {
  readonly url: string;
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
}

export function readConfig(env: NodeJS.ProcessEnv): StoragesvcConfig {
  const read = new EnvReader(env);
  return read.done({
    host: read.text('HOST', '127.0.0.1'),
    port: read.port('STORAGESVC_PORT', 8082),
    database: {
      url: read.url(
        'DATABASE_URL',
        'postgres://postgres:postgres@127.0.0.1:5433/postgres',
        'postgres',
        'postgresql',
      ),
      poolSize: read.integer('DATABASE_POOL_SIZE', 5, { min: 1, max: 100 }),
      // Both are shorter than booksvc's attempt timeout, so that booksvc gets an answer.
      connectTimeoutMs: read.duration('DATABASE_CONNECT_TIMEOUT', '400ms'),
      queryTimeoutMs: read.duration('DATABASE_QUERY_TIMEOUT', '800ms'),
    },
  });
}

export const storagesvcConfig = registerAs('storagesvc', () => readConfig(process.env));
