import type { Type } from '@nestjs/common';
import { fallbackPolicy } from '../policies/fallback/fallback.policy.js';
import type {
  FallbackAnswer,
  FallbackChoice,
  FallbackFunction,
  FallbackHandler,
  ValueFallback,
} from '../policies/fallback/handler.js';
import type { FallbackOptions } from '../policies/fallback/options.js';
import type { StaleFallback } from '../policies/fallback/stale-if-error.js';
import { decorateMethod } from './define.js';
import type { Arguments, MethodPolicyDecorator } from './method-policy-decorator.js';

/** Options of `@Fallback()` apart from the handler. */
type AnswerOptions = Omit<FallbackOptions, 'handler'>;

/**
 * Answers instead of the method when it has finally failed or was rejected (open circuit, timeout, …).
 *
 * @param handler what answers:
 *   - the name of a method of the same class, called with the same arguments and then a `FallbackContext`;
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
): MethodPolicyDecorator<Name, unknown>;
/** Answers with a former result, or with the choice whose error class is nearest to the error. */
export function Fallback(
  handler: StaleFallback | readonly FallbackChoice[],
  options?: AnswerOptions,
): MethodPolicyDecorator<never, unknown>;
/** Answers with a value, or with the result of a function or an injectable class. */
export function Fallback<Args extends Arguments = never, Result = unknown>(
  handler:
    FallbackFunction<Args, Result> | Type<FallbackHandler<Args, Result>> | ValueFallback<Result>,
  options?: AnswerOptions,
): MethodPolicyDecorator<never, Result, Args>;
export function Fallback(
  handler: FallbackAnswer | readonly FallbackChoice[],
  options: AnswerOptions = {},
): unknown {
  const all: FallbackOptions = { ...options, handler };
  return (target: object, key: string | symbol, descriptor: PropertyDescriptor): void =>
    decorateMethod(fallbackPolicy, all, target, key, descriptor);
}
