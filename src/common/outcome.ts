import { types } from 'node:util';
import { isResilienceError } from './errors.js';
import type { OptionsReader } from './options-reader.js';
import { statusOf } from './http-error.js';

/**
 * How a call or an attempt ended. `ignored` is neither good nor bad for the dependency's health: a request that
 * was wrong (404, validation), a programmer's error, a caller who has gone.
 */
export type Outcome = 'success' | 'failure' | 'ignored';

/** An error class (subclasses included). */
export type ErrorClass = abstract new (...args: never[]) => unknown;

/** An error class, or a function that says whether an error is meant. */
export type ErrorMatcher = ErrorClass | ((error: unknown) => boolean);

/** Which errors and results count as failures; the same words on every policy. */
export interface OutcomeOptions {
  /** Errors that count as failures beside the default ones. */
  readonly on?: readonly ErrorMatcher[];
  /** Errors that never count as failures; looked at before `on`. */
  readonly skip?: readonly ErrorMatcher[];
}

/** {@link OutcomeOptions} of the policies that look at results too. */
export interface ResultOutcomeOptions extends OutcomeOptions {
  /** Returns true for a result that counts as a failure, such as an answer that says "try later". */
  readonly onResult?: (result: unknown) => boolean;
}

/** Statuses below 500 that sending fewer requests would improve. */
const RETRYABLE_STATUSES = new Set([408, 425, 429]);

const IGNORED_NAMES = new Set(['AbortError', 'CanceledError', 'ValidationError', 'ZodError']);

/**
 * The default rule: an error is a failure unless sending fewer requests could not have improved it. Ignored are
 * aborts, 4xx other than 408, 425 and 429, validation errors, `ReferenceError`, `TypeError` without a network
 * cause, and rejections by our own policies except timeouts.
 */
export function defaultOutcome(error: unknown): Exclude<Outcome, 'success'> {
  if (isResilienceError(error)) return error.code === 'TIMEOUT' ? 'failure' : 'ignored';
  const status = statusOf(error);
  if (status !== undefined) {
    return status >= 500 || RETRYABLE_STATUSES.has(status) ? 'failure' : 'ignored';
  }
  if (typeof error !== 'object' || error === null) return 'failure';
  const { name } = error as { name?: unknown };
  if (typeof name === 'string' && IGNORED_NAMES.has(name)) return 'ignored';
  if (isBuiltIn(error, ReferenceError)) return 'ignored';
  if (isBuiltIn(error, TypeError)) return isNetworkError(error.cause) ? 'failure' : 'ignored';
  return 'failure';
}

/** `fetch failed` is a `TypeError` whose cause is an error of the operating system or of undici, with a code. */
function isNetworkError(cause: unknown): boolean {
  if (typeof cause !== 'object' || cause === null) return false;
  const { code, errors } = cause as { code?: unknown; errors?: unknown };
  return typeof code === 'string' || (Array.isArray(errors) && errors.some(isNetworkError));
}

const BUILT_IN: ReadonlySet<unknown> = new Set([
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
]);

/** `instanceof` that also knows the built-in errors of other realms (`vm` contexts, Node's own errors in Jest). */
function isBuiltIn(error: unknown, type: ErrorClass): error is Error {
  if (error instanceof type) return true;
  return types.isNativeError(error) && (type === Error || error.name === type.name);
}

function isErrorClass(matcher: ErrorMatcher): matcher is ErrorClass {
  if (BUILT_IN.has(matcher) || matcher.prototype instanceof Error) return true;
  return isClass(matcher);
}

/** Whether it is declared by `class`, and so cannot be called. */
export function isClass(value: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

/** Compiles an {@link ErrorMatcher} to a predicate. */
export function toPredicate(matcher: ErrorMatcher): (error: unknown) => boolean {
  if (!isErrorClass(matcher)) return matcher;
  if (BUILT_IN.has(matcher)) return (error) => isBuiltIn(error, matcher);
  return (error) => error instanceof matcher;
}

/**
 * How far `matcher` is from `error`: 0 for its own class, 1 for the parent, …; `undefined` when it does not
 * match. A predicate that matches is as near as can be.
 */
export function distance(matcher: ErrorMatcher, error: unknown): number | undefined {
  if (!safely(toPredicate(matcher))(error)) return undefined;
  if (!isErrorClass(matcher)) return 0;
  let steps = 0;
  let prototype: unknown = Object.getPrototypeOf(error);
  while (prototype !== null && prototype !== matcher.prototype) {
    prototype = Object.getPrototypeOf(prototype);
    steps += 1;
  }
  return steps;
}

/** A user's predicate that throws has not matched: it must not hide the outcome that it was asked about. */
function safely(predicate: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => {
    try {
      return predicate(value);
    } catch {
      return false;
    }
  };
}

/** A result of which only the beginning is known: a stream. There is nothing to decide about it but that it began. */
export abstract class OngoingResult {}

/** Decides outcomes: exclusions (`skip`) first, then inclusions (`on`), then the default. */
export class Classifier {
  private readonly skip: readonly ((error: unknown) => boolean)[];
  private readonly on: readonly ((error: unknown) => boolean)[];
  private readonly onResult: ((result: unknown) => boolean) | undefined;

  constructor(
    { on = [], skip = [], onResult }: ResultOutcomeOptions,
    private readonly otherwise: (error: unknown) => Outcome = defaultOutcome,
  ) {
    this.skip = skip.map((matcher) => safely(toPredicate(matcher)));
    this.on = on.map((matcher) => safely(toPredicate(matcher)));
    this.onResult = onResult && safely(onResult);
  }

  ofError(error: unknown): Outcome {
    for (const matches of this.skip) if (matches(error)) return 'ignored';
    for (const matches of this.on) if (matches(error)) return 'failure';
    return this.otherwise(error);
  }

  ofResult(result: unknown): Outcome {
    if (this.onResult === undefined || result instanceof OngoingResult) return 'success';
    return this.onResult(result) ? 'failure' : 'success';
  }
}

/** Decides how a call has ended. */
export type OutcomeRule = Pick<Classifier, 'ofError' | 'ofResult'>;

/** Reads and checks `on`, `skip` and, where the policy has it, `onResult`. */
export function readOutcomeOptions(
  read: OptionsReader<ResultOutcomeOptions>,
): ResultOutcomeOptions {
  return {
    on: read.functions('on') ?? [],
    skip: read.functions('skip') ?? [],
    onResult: read.function('onResult'),
  };
}
