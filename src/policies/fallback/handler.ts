import type { Type } from '@nestjs/common';
import type { ErrorMatcher } from '../../common/outcomes/error-matcher.js';
import type { StaleFallback } from './stale-if-error.js';

/** Details of the failed call, passed to a fallback. */
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
  /** Answers; what it throws goes to the caller. */
  handle(context: FallbackContext, ...args: Args): Result | Promise<Result>;
}

/**
 * Answers a failed call: gets what there is to know of it, then the arguments of the call. What it throws goes to
 * the caller.
 */
export type FallbackFunction<
  Args extends readonly unknown[] = readonly never[],
  Result = unknown,
> = (context: FallbackContext, ...args: Args) => Result | Promise<Result>;

const VALUE = 'value';

/** Made by {@link fallbackValue}. */
export interface ValueFallback<Result = unknown> {
  /** Tells it from other objects. */
  readonly kind: typeof VALUE;
  /** The answer. */
  readonly value: Result;
}

/** Answers with `result`, the same object each time. */
export function fallbackValue<Result>(result: Result): ValueFallback<Result> {
  return { kind: VALUE, value: result };
}

/** Anything that can answer instead of a failed call. */
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
  /** Answers the errors that it is for. */
  readonly handler: FallbackAnswer<Result>;
}

/** A handler, or a list of handlers by error. */
export type GivenHandler = FallbackAnswer | readonly FallbackChoice[];

export function isValue(handler: object): handler is ValueFallback {
  return (handler as Partial<ValueFallback>).kind === VALUE && 'value' in handler;
}

export function isHandlerClass(handler: unknown): handler is Type<FallbackHandler> {
  if (typeof handler !== 'function') return false;
  const prototype = handler.prototype as Partial<FallbackHandler> | undefined;
  return typeof prototype?.handle === 'function';
}
