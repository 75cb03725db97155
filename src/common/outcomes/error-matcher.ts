import { types } from 'node:util';
import { isInstance, look, lookForText, prototypeOf, safely } from './look.js';

/** An error class (subclasses included). */
export type ErrorClass = abstract new (...args: never[]) => unknown;

/** An error class, or a function that says whether an error is meant. */
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

/** More ancestors than any class has: a proxy may make up its own without end. */
const MOST_ANCESTORS = 100;

/** `instanceof` that also knows the built-in errors of other realms (`vm` contexts, Node's own errors in Jest). */
export function isBuiltIn(error: unknown, type: ErrorClass): error is Error {
  if (isInstance(error, type)) return true;
  return types.isNativeError(error) && (type === Error || lookForText(error, 'name') === type.name);
}

/** Whether it is declared by `class`, and so cannot be called. */
export function isClass(value: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

function isErrorClass(matcher: ErrorMatcher): matcher is ErrorClass {
  if (BUILT_IN.has(matcher) || isInstance(look(matcher, 'prototype'), Error)) return true;
  return isClass(matcher);
}

/** Compiles an {@link ErrorMatcher} to a predicate that never throws: one that does has not matched. */
export function toPredicate(matcher: ErrorMatcher): (error: unknown) => boolean {
  if (!isErrorClass(matcher)) return safely(matcher);
  if (BUILT_IN.has(matcher)) return (error) => isBuiltIn(error, matcher);
  return (error) => isInstance(error, matcher);
}

/**
 * How far `matcher` is from `error`: 0 for its own class, 1 for the parent, …; `undefined` when it does not
 * match. A predicate that matches is as near as can be.
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
