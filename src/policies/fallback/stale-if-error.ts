import { isOptions } from '../../common/objects.js';
import type { Duration } from '../../common/duration.js';
import type { Key } from '../key.js';

/** The `kind` of a {@link StaleFallback}. */
const STALE = 'staleIfError';

/** Options of {@link staleIfError}. */
export interface StaleIfErrorOptions {
  /** How long a good result is kept; above 0. Mandatory. */
  readonly ttl: Duration;
  /**
   * Which calls share a result: a function of the arguments, called with the instance as `this`, or the name of such a
   * method of the class. It returns a string, number, bigint or boolean. Default: the arguments, if they are plain data.
   *
   * Mandatory where the arguments do not identify the owner of the data: when the class is request-scoped, transient or
   * has several instances, for a command that is defined more than once, in a pipeline, and on a handler, where it gets
   * the arguments of the transport (HTTP: the request, the response and `next`).
   */
  readonly key?: Key;
  /**
   * Converts a kept result, parsed from JSON, to the type that the method returns, such as
   * `(plain) => plainToInstance(Book, plain)`. Without it, only plain data is kept: an instance of a class would come back
   * without its class. If it throws, there is no stale answer.
   */
  readonly revive?: (plain: never) => unknown;
  /** How long a failed call waits for the cache before its error is thrown. Default 250 ms. */
  readonly readTimeout?: Duration;
  /** How long a write may take before the next one for the same key is tried. Default 1 s. */
  readonly writeTimeout?: Duration;
}

/** Made by {@link staleIfError}. */
export interface StaleFallback {
  /** Distinguishes it from other objects. */
  readonly kind: typeof STALE;
  /** The options as they were given. */
  readonly options: StaleIfErrorOptions;
}

/**
 * Keeps the last good result in Nest's cache (`CacheModule` of `@nestjs/cache-manager`) and answers with it when a call
 * fails (RFC 5861, `stale-if-error`). Results are kept as JSON: the answer is `JSON.parse(JSON.stringify(result))`, or
 * the result of `revive` for it.
 *
 * The cache never makes anything worse: writes are not waited for, reads have a time limit, and when the cache is
 * empty, slow or broken, the caller gets the original error. No caller gets another one's result: if the owner of a
 * result is unknown, it is not kept, and a warning says so.
 *
 * @example
 * \@Fallback(staleIfError({ ttl: '10m' }))
 */
export function staleIfError(options: StaleIfErrorOptions): StaleFallback {
  return { kind: STALE, options };
}

export function isStale(handler: object): handler is StaleFallback {
  const { kind, options } = handler as Partial<StaleFallback>;
  return kind === STALE && isOptions(options);
}
