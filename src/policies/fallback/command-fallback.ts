import { isPlainObject } from '../../common/options-reader.js';
import { isClass } from '../../common/outcomes/error-matcher.js';
import {
  type FallbackAnswer,
  type FallbackChoice,
  type FallbackContext,
  type FallbackFunction,
  isHandlerClass,
} from './handler.js';
import type { FallbackOptions, GivenFallback } from './options.js';

type CommandAnswer<Args extends readonly unknown[], Result> =
  | FallbackFunction<Args, Result>
  | Exclude<FallbackAnswer<Result>, string | FallbackFunction<readonly never[], Result>>
  | readonly FallbackChoice<Result>[];

/** The answer of a failed command, or options; a function gets the arguments of `run`, with the error in the context. */
export type CommandFallback<Args extends readonly unknown[], Result> =
  | CommandAnswer<Args, Result>
  | (Omit<FallbackOptions, 'handler'> & { readonly handler: CommandAnswer<Args, Result> });

/** A definition of a command, as far as it says who answers. */
interface Definition {
  readonly fallback?: unknown;
}

/** Each definition of a command may have a function of its own: a call asks that of the one that it was made by. */
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
