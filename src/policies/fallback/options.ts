import type { Type } from '@nestjs/common';
import type { Duration } from '../../common/duration.js';
import type { ErrorMatcher, OutcomeOptions } from '../../common/outcome.js';

/** What a fallback is told about the call that it answers. */
export interface FallbackContext {
  /** `Class.method`, or what the command or the pipeline is called. */
  readonly name: string;
  /** The error that is answered. */
  readonly error: unknown;
  /** Whether a policy of ours has turned the call away (open circuit, timeout, …); false: the method failed. */
  readonly rejected: boolean;
  /** How often it was tried, attempts that were turned away included. */
  readonly attempts: number;
}

/** A class that Nest injects, so that a fallback can use other providers. It has to be a singleton provider. */
export interface FallbackHandler<
  Args extends readonly unknown[] = readonly never[],
  Result = unknown,
> {
  handle(context: FallbackContext, ...args: Args): Result | Promise<Result>;
}

export type FallbackFunction<
  Args extends readonly unknown[] = readonly never[],
  Result = unknown,
> = (context: FallbackContext, ...args: Args) => Result | Promise<Result>;

const VALUE = 'value';
const STALE = 'staleIfError';

/** Made by {@link value}. */
export interface ValueFallback<Result = unknown> {
  readonly kind: typeof VALUE;
  readonly value: Result;
}

/** Answers with `result`, the same object each time. */
export function value<Result>(result: Result): ValueFallback<Result> {
  return { kind: VALUE, value: result };
}

export interface StaleIfErrorOptions {
  /** How long a good result is kept. */
  readonly ttl: Duration;
  /**
   * Which calls share a result, from their arguments. Default: the JSON of the arguments. Mandatory on a handler,
   * where it gets the arguments of the transport (HTTP: the request), so that no user gets another one's data.
   */
  readonly key?: (...args: never[]) => string;
  /** How long a failed call waits for the cache before its error is thrown. Default 250 ms. */
  readonly readTimeout?: Duration;
  /** How long a write may take before the next one for the same key is tried. Default 1 s. */
  readonly writeTimeout?: Duration;
}

/** Made by {@link staleIfError}. */
export interface StaleFallback {
  readonly kind: typeof STALE;
  readonly options: StaleIfErrorOptions;
}

/**
 * Keeps the last good result in Nest's cache (`CacheModule` of `@nestjs/cache-manager`) and answers with it when
 * a call fails (RFC 5861, `stale-if-error`). Results are kept as JSON: what comes back is what
 * `JSON.parse(JSON.stringify(result))` gives.
 *
 * The cache never makes anything worse: writes are not waited for, reads have a time budget, and when the cache
 * is empty, slow or broken, the caller gets the original error.
 *
 * @example
 * \@Fallback(staleIfError({ ttl: '10m' }))
 */
export function staleIfError(options: StaleIfErrorOptions): StaleFallback {
  return { kind: STALE, options };
}

/** What answers instead of a failed call. */
export type FallbackAnswer<Result = unknown> =
  | string
  | FallbackFunction<readonly never[], Result>
  | Type<FallbackHandler<readonly never[], Result>>
  | ValueFallback<Result>
  | StaleFallback;

/** One of several fallbacks: the one whose error class is nearest to the error answers. */
export interface FallbackChoice<Result = unknown> {
  /** The errors that it answers. Default: all that no other choice answers. */
  readonly on?: readonly ErrorMatcher[];
  readonly handler: FallbackAnswer<Result>;
}

/**
 * Options of `@Fallback()`. Without `on` it answers failures and our own rejections (an open circuit, …); with `on` only
 * what that lists: `[isFailure, isResilienceError, …]` adds to it.
 */
export interface FallbackOptions extends OutcomeOptions {
  readonly handler?: FallbackAnswer | readonly FallbackChoice[];
  /** Fallbacks that may run at a time; a call beyond them keeps its error. Default: no limit. */
  readonly maxConcurrent?: number;
}

/** What answers, or options. */
export type GivenFallback<Result = unknown> =
  FallbackAnswer<Result> | readonly FallbackChoice<Result>[] | FallbackOptions;

/** Options from what commands and pipelines accept. */
export function toFallbackOptions(given: GivenFallback): FallbackOptions {
  const isOptions =
    typeof given === 'object' && given !== null && !Array.isArray(given) && !('kind' in given);
  return isOptions ? (given as FallbackOptions) : { handler: given as FallbackAnswer };
}

export function isValue(handler: object): handler is ValueFallback {
  return (handler as Partial<ValueFallback>).kind === VALUE && 'value' in handler;
}

export function isStale(handler: object): handler is StaleFallback {
  const { kind, options } = handler as Partial<StaleFallback>;
  return kind === STALE && typeof options === 'object';
}

export function isHandlerClass(handler: unknown): handler is Type<FallbackHandler> {
  if (typeof handler !== 'function') return false;
  const prototype = handler.prototype as Partial<FallbackHandler> | undefined;
  return typeof prototype?.handle === 'function';
}
