import { registerAs } from '@nestjs/config';
import { EnvReader } from '#common/env.js';

/** Exported for decorators too, which contain the options of `staleIfError`. */
export const DEFAULT_STALE_TTL = '10m';

const PROTECTION = ['on', 'no-bulkhead', 'off'] as const;
export type Protection = (typeof PROTECTION)[number];

export interface BooksvcConfig {
  readonly host: string;
  readonly port: number;
  readonly storageUrl: string;
  readonly shippingUrl: string;
  /** Maximum connections to one host. */
  readonly outgoingSockets: number;
  readonly redisUrl: string | undefined;
  /** The Redis in which all instances share the circuit of storagesvc. */
  readonly fleetRedisUrl: string | undefined;
  /** For comparison: `off` removes every policy. */
  readonly protection: Protection;
  readonly policies: PolicySettings;
}

/** Durations are in milliseconds. */
export interface PolicySettings {
  readonly totalTimeout: number;
  readonly attemptTimeout: number;
  readonly maxRetries: number;
  readonly initialDelay: number;
  readonly multiplier: number;
  readonly maxDelay: number;
  readonly failuresToOpen: number;
  readonly openFor: number;
  readonly staleTtl: number;
  /** The bulkhead of each service that booksvc calls. */
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  readonly maxWait: number;
}

export function readConfig(env: NodeJS.ProcessEnv): BooksvcConfig {
  const read = new EnvReader(env);
  const policies: PolicySettings = {
    totalTimeout: read.duration('TOTAL_TIMEOUT', '5s'),
    attemptTimeout: read.duration('ATTEMPT_TIMEOUT', '1s'),
    maxRetries: read.integer('MAX_RETRIES', 7, { min: 0, max: 100 }),
    initialDelay: read.duration('RETRY_INITIAL_DELAY', '500ms'),
    multiplier: read.decimal('RETRY_MULTIPLIER', 1.5, { min: 1, max: 10 }),
    maxDelay: read.duration('RETRY_MAX_DELAY', '60s'),
    failuresToOpen: read.integer('BREAKER_FAILURES', 3, { min: 1, max: 1_000 }),
    openFor: read.duration('BREAKER_OPEN_FOR', '5s'),
    staleTtl: read.duration('STALE_TTL', DEFAULT_STALE_TTL),
    maxConcurrent: read.integer('BULKHEAD_MAX_CONCURRENT', 20, { min: 1, max: 10_000 }),
    // A burst: at 10 ms per answer, 20 places serve 100 waiting requests in 50 ms.
    maxQueue: read.integer('BULKHEAD_MAX_QUEUE', 100, { min: 0, max: 100_000 }),
    // A longer wait means that the service is slow, not that a burst has arrived.
    maxWait: read.duration('BULKHEAD_MAX_WAIT', '250ms'),
  };
  read.check(
    policies.attemptTimeout < policies.totalTimeout,
    'ATTEMPT_TIMEOUT must be shorter than TOTAL_TIMEOUT',
  );
  read.check(
    policies.initialDelay <= policies.maxDelay,
    'RETRY_INITIAL_DELAY must not be longer than RETRY_MAX_DELAY',
  );
  return read.done({
    host: read.text('HOST', '127.0.0.1'),
    port: read.port('BOOKSVC_PORT', 8081),
    storageUrl: read.url('STORAGE_URL', 'http://127.0.0.1:8082', 'http', 'https'),
    shippingUrl: read.url('SHIPPING_URL', 'http://127.0.0.1:8083', 'http', 'https'),
    outgoingSockets: read.integer('OUTGOING_SOCKETS', 64, { min: 1, max: 10_000 }),
    redisUrl: read.optionalUrl('REDIS_URL', 'redis', 'rediss'),
    fleetRedisUrl: read.optionalUrl('FLEET_REDIS_URL', 'redis', 'rediss'),
    protection: read.oneOf('PROTECTION', PROTECTION),
    policies,
  });
}

export const booksvcConfig = registerAs('booksvc', () => readConfig(process.env));
