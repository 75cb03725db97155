import type { Type } from '@nestjs/common';
import { Unreadable } from '../../common/legible.js';
import type { ErrorMatcher } from '../../common/outcomes/error-matcher.js';
import type { StaleFallback } from './stale-if-error.js';

/** Details of the failed call, passed to a fallback. */
export interface FallbackContext {
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The error of the failed call. */
  readonly error: unknown;
  /** Whether the error is one of our own rejections (open circuit, timeout, …); false: the method itself failed. */
  readonly rejected: boolean;
  /** The number of attempts, rejected ones included. */
  readonly attempts: number;
}

/** A fallback as an injectable class, so that it can use other providers. It has to be a singleton provider. */
export interface FallbackHandler<
  Args extends readonly unknown[] = readonly never[],
  Result = unknown,
> {
  /** Returns the answer; an error that it throws goes to the caller. */
  handle(context: FallbackContext, ...args: Args): Result | Promise<Result>;
}

/**
 * Answers a failed call: gets its details and then its arguments. An error that it throws goes to the caller.
 */
export type FallbackFunction<
  Args extends readonly unknown[] = readonly never[],
  Result = unknown,
> = (context: FallbackContext, ...args: Args) => Result | Promise<Result>;

/** The `kind` of a {@link ValueFallback}. */
const VALUE = 'value';

/** Made by {@link fallbackValue}. */
export interface ValueFallback<Result = unknown> {
  /** Distinguishes it from other objects. */
  readonly kind: typeof VALUE;
  /** The answer. */
  readonly value: Result;
}

/** Answers with `result`, the same object each time. */
export function fallbackValue<Result>(result: Result): ValueFallback<Result> {
  return { kind: VALUE, value: result };
}

/** Anything that can answer a failed call. */
export type FallbackAnswer<Result = unknown> =
  | string
  | FallbackFunction<readonly never[], Result>
  | Type<FallbackHandler<readonly never[], Result>>
  | ValueFallback<Result>
  | StaleFallback;

/** One of several fallbacks. The one whose error class is nearest to the error answers. */
export interface FallbackChoice<Result = unknown> {
  /** The errors that it answers. Default: all errors that no other choice answers. */
  readonly on?: readonly ErrorMatcher[];
  /** Answers these errors. */
  readonly handler: FallbackAnswer<Result>;
}

/** A handler, or a list of handlers by error. */
export type GivenHandler = FallbackAnswer | readonly FallbackChoice[];

export function isValue(handler: object): handler is ValueFallback {
  const { kind, value } = handler as Partial<ValueFallback>;
  return kind === VALUE && 'value' in handler && !(value instanceof Unreadable);
}

export function isHandlerClass(handler: unknown): handler is Type<FallbackHandler> {
  if (typeof handler !== 'function') return false;
  const prototype = handler.prototype as Partial<FallbackHandler> | undefined;
  return typeof prototype?.handle === 'function';
}
