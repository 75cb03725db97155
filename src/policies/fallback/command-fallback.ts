import { isPlainObject } from '../../common/objects.js';
import { isClass } from '../../common/outcomes/error-matcher.js';
import {
  type FallbackAnswer,
  type FallbackChoice,
  type FallbackContext,
  type FallbackFunction,
  isHandlerClass,
} from './handler.js';
import type { FallbackOptions, GivenFallback } from './options.js';

/** A handler of a command's fallback: as for a method, but without the name of a method, and with typed arguments. */
type CommandAnswer<Args extends readonly unknown[], Result> =
  | FallbackFunction<Args, Result>
  | Exclude<FallbackAnswer<Result>, string | FallbackFunction<readonly never[], Result>>
  | readonly FallbackChoice<Result>[];

/**
 * The fallback of a command: a handler, or options with one. A function gets a {@link FallbackContext}, which has the error,
 * and the arguments of `run`.
 */
export type CommandFallback<Args extends readonly unknown[], Result> =
  | CommandAnswer<Args, Result>
  | (Omit<FallbackOptions, 'handler'> & { readonly handler: CommandAnswer<Args, Result> });

/** The part of a command's definition that is used here. */
interface Definition {
  readonly fallback?: unknown;
}

/** Replaces a function with one that calls the function of the definition that a call was made by (`this`). */
export function askDefinition(given: GivenFallback): GivenFallback {
  if (isFunction(given)) return { handler: fallback as never };
  if (!isPlainObject(given) || !isFunction((given as FallbackOptions).handler)) return given;
  return { ...(given as FallbackOptions), handler: fallback as never };
}

function fallback(this: Definition, context: FallbackContext, ...args: never[]): unknown {
  const { fallback: given } = this;
  const handler = isFunction(given) ? given : (given as { handler: unknown }).handler;
  return (handler as FallbackFunction)(context, ...args);
}

function isFunction(value: unknown): value is Function {
  return typeof value === 'function' && !isHandlerClass(value) && !isClass(value);
}
