import { fallbackPolicy } from '../policies/fallback/fallback.policy.js';
import type {
  FallbackAnswer,
  FallbackChoice,
  FallbackContext,
} from '../policies/fallback/handler.js';
import type { FallbackOptions } from '../policies/fallback/options.js';
import type { StaleFallback } from '../policies/fallback/stale-if-error.js';
import { type Protectable, decorateMethod } from './define.js';

/** Options of `@Fallback()` apart from the handler. */
type AnswerOptions = Omit<FallbackOptions, 'handler'>;

/** Decorates a method for which a `Result` is a valid answer. */
type AnsweringDecorator<Result> = <T extends (...args: never[]) => Protectable>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T> & FittingFor<T, Result>,
) => void;

/** `unknown` when `Result` fits the method (or is not known); otherwise a type whose property explains the compiler error. */
type FittingFor<T, Result> = [unknown] extends [Result]
  ? unknown
  : [AnswerOf<Result>] extends [ResultOf<T>]
    ? unknown
    : { "the fallback's result type does not match the method's": never };

/** The type of an answer: a fallback may return the value, or a promise or stream of it. */
type AnswerOf<Result> = Result extends Protectable<infer R> ? R : Result;

/** The type of the value that a method's promise or stream yields. */
type ResultOf<T> = T extends (...args: never[]) => Protectable<infer R> ? R : never;

/** Decorates a method `(...args) => Result` of a class that has a method `Name` `(...args, context) => Result`. */
type MethodFallbackDecorator<Name extends string> = <T extends (...args: never[]) => Protectable>(
  target: {
    [key in Name]: (
      ...args: [...Parameters<T>, FallbackContext]
    ) => ResultOf<T> | Protectable<ResultOf<T>>;
  },
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

/**
 * Answers instead of the method when it has finally failed or was rejected (open circuit, timeout, …).
 *
 * @param handler what answers:
 *   - the name of a method of the same class, called with the same arguments and then a {@link FallbackContext};
 *   - a function `(context, ...args)`;
 *   - an injectable class with `handle(context, ...args)`;
 *   - `fallbackValue(x)`: always `x`;
 *   - `staleIfError({ ttl })`: the last good result, from Nest's cache;
 *   - a list of `{ on, handler }`: the one whose error class is nearest to the error.
 * @param options `ignore`, `skip`, `on`: which errors are answered; `maxConcurrent`: how many fallbacks may run at a time
 *
 * @example
 * \@Fallback(staleIfError({ ttl: '10m' }))
 */
export function Fallback<Name extends string>(
  handler: Name,
  options?: AnswerOptions,
): MethodFallbackDecorator<Name>;
/** Answers with a former result, or with the choice whose error class is nearest to the error. */
export function Fallback(
  handler: StaleFallback | readonly FallbackChoice[],
  options?: AnswerOptions,
): AnsweringDecorator<unknown>;
/** Answers with a value, or with the result of a function or an injectable class. */
export function Fallback<Result>(
  handler: Exclude<FallbackAnswer<Result>, string | StaleFallback>,
  options?: AnswerOptions,
): AnsweringDecorator<Result>;
export function Fallback(
  handler: FallbackAnswer | readonly FallbackChoice[],
  options: AnswerOptions = {},
): MethodDecorator {
  const all: FallbackOptions = { ...options, handler };
  return (target, key, descriptor) => decorateMethod(fallbackPolicy, all, target, key, descriptor);
}
