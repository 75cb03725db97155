import { types } from 'node:util';
import { isInstance, look, lookForText, prototypeOf, safely } from './look.js';

/** An error class (subclasses included). */
export type ErrorClass = abstract new (...args: never[]) => unknown;

/** An error class, or a function that returns whether it matches an error. */
export type ErrorMatcher = ErrorClass | ((error: unknown) => boolean);

const BUILT_IN: ReadonlySet<unknown> = new Set([
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
]);

/** More ancestors than any real class has: a proxy may invent an endless chain. */
const MOST_ANCESTORS = 100;

/** `instanceof` that also knows the built-in errors of other realms (`vm` contexts, Node's own errors in Jest). */
export function isBuiltIn(error: unknown, type: ErrorClass): error is Error {
  if (isInstance(error, type)) return true;
  return types.isNativeError(error) && (type === Error || lookForText(error, 'name') === type.name);
}

/** Whether it is declared with `class`, and so cannot be called without `new`. */
export function isClass(value: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

function isErrorClass(matcher: ErrorMatcher): matcher is ErrorClass {
  if (BUILT_IN.has(matcher) || isInstance(look(matcher, 'prototype'), Error)) return true;
  return isClass(matcher);
}

/** Compiles an {@link ErrorMatcher} to a predicate that never throws: a matcher that throws has not matched. */
export function toPredicate(matcher: ErrorMatcher): (error: unknown) => boolean {
  if (!isErrorClass(matcher)) return safely(matcher);
  if (BUILT_IN.has(matcher)) return (error) => isBuiltIn(error, matcher);
  return (error) => isInstance(error, matcher);
}

/**
 * The distance of `matcher` from `error`: 0 for the error's own class, 1 for its parent, …; `undefined` when it does not
 * match. A predicate that matches has distance 0.
 */
export function distance(matcher: ErrorMatcher, error: unknown): number | undefined {
  if (!toPredicate(matcher)(error)) return undefined;
  if (!isErrorClass(matcher)) return 0;
  const wanted = look(matcher, 'prototype');
  let steps = 0;
  let prototype = prototypeOf(error);
  while (prototype !== null && prototype !== wanted && steps < MOST_ANCESTORS) {
    prototype = prototypeOf(prototype);
    steps += 1;
  }
  return steps;
}
