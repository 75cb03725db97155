import type { Type } from '@nestjs/common';
import { isOptions } from '../common/objects.js';
import { legible } from '../common/legible.js';
import { notOptions } from '../common/printable.js';
import { fallbackPolicy } from '../policies/fallback/fallback.policy.js';
import type {
  FallbackAnswer,
  FallbackChoice,
  FallbackHandler,
  GivenHandler,
  ValueFallback,
} from '../policies/fallback/handler.js';
import type { FallbackOptions } from '../policies/fallback/options.js';
import { recording, surplus } from './define.js';
import { isWithoutParentheses } from './without-parentheses.js';
import type { MethodPolicyDecorator } from './method-policy-decorator.js';

/** Options of `@Fallback()` apart from the handler. */
type AnswerOptions = Omit<FallbackOptions, 'handler'>;

/**
 * The demands of a handler on the class and the method; one signature, so that the compiler marks the wrong argument.
 */
type NameOf<Handler> = Handler extends string ? Handler : never;

/** The type of the answer; `unknown` when the compiler cannot see it. */
type ResultOf<Handler> = Handler extends (...args: never[]) => infer Result
  ? Result
  : Handler extends Type<FallbackHandler<never, infer Result>>
    ? Result
    : Handler extends ValueFallback<infer Result>
      ? Result
      : unknown;

/** The arguments of a function or class; `never` of another handler. */
type ArgumentsOf<Handler> = Handler extends (context: never, ...args: infer Args) => unknown
  ? Args
  : Handler extends Type<FallbackHandler<infer Args>>
    ? Args
    : never;

/**
 * Answers instead of the method when it has finally failed or was rejected (open circuit, timeout, …).
 *
 * @param handler the handler that answers:
 *   - the name of a method of the same class, called with the same arguments and then a `FallbackContext`;
 *   - a function `(context, ...args)`;
 *   - an injectable class with `handle(context, ...args)`;
 *   - `fallbackValue(x)`: always `x`;
 *   - `staleIfError({ ttl })`: the last good result, from Nest's cache;
 *   - a list of `{ on, handler }`: the one whose error class is nearest to the error.
 * @param options `ignore`, `skip`, `on`: the errors that are answered; `maxConcurrent`: the number of fallbacks that may run at a time
 *
 * @example
 * \@Fallback(staleIfError({ ttl: '10m' }))
 */
export function Fallback<Handler extends FallbackAnswer | readonly FallbackChoice[]>(
  handler: Handler,
  options?: AnswerOptions,
): MethodPolicyDecorator<NameOf<Handler>, ResultOf<Handler>, ArgumentsOf<Handler>>;
export function Fallback(...given: unknown[]): unknown {
  const { label } = fallbackPolicy;
  // A class alone is a handler.
  if (given.length > 1 && isWithoutParentheses(label, given)) return undefined;
  const [handler, options = {}, ...others] = given as [GivenHandler, AnswerOptions?];
  const read = legible(options);
  const problem = isOptions(read) ? surplus(others) : notOptions(read);
  const all: FallbackOptions = { ...(isOptions(read) && read), handler };
  return recording({ ...fallbackPolicy, methodsOnly: true }, all, problem);
}
