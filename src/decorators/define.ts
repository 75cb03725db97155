import type { Observable } from 'rxjs';
import { show } from '../common/printable.js';
import { coverClass } from '../execution/coverage.js';
import { wrapMethod } from '../execution/method-wrapper.js';
import {
  ownClassPolicies,
  recordClassPolicy,
  recordMisplaced,
} from '../execution/methods/records.js';
import { prepareSlot } from '../execution/slot.js';
import { refuseStandardDecorators } from '../execution/methods/standard-decorators.js';
import { isWithoutParentheses } from './without-parentheses.js';

/** The possible results of a protected method. */
export type Protectable<R = unknown> = Promise<R> | Observable<R> | AsyncIterable<R>;

/**
 * Decorates a class, or a method that returns a promise, an Observable or an async iterable. Any other method is
 * a compile-time error.
 */
// An intersection, not an interface with both: a decorator for classes alone would be assignable to that.
export type PolicyDecorator = ClassPolicyDecorator & AnyMethodPolicyDecorator;

/** Decorates a class. */
type ClassPolicyDecorator = <T extends Function>(target: T) => void;

/** Decorates a method that returns a promise, an Observable or an async iterable. */
type AnyMethodPolicyDecorator = <T extends (...args: never[]) => Protectable>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

/** The key under which a decorator records its options, and the decorator's name for users. */
interface Recorded {
  readonly kind: string;
  readonly label: string;
  /** Whether it is not for classes. */
  readonly methodsOnly?: boolean;
}

/** The policy of a decorator with options of type `Given`. */
interface Decorating<Given> extends Recorded {
  normalize(given: Given): object;
  /** The problem of what was given, where bootstrap cannot know it. */
  readonly wrong?: (given: unknown) => string | undefined;
}

/**
 * Records the options of a policy, on a method or on all methods of a class.
 *
 * @param given the arguments of the decorator; the first are options in one of their forms
 */
export function definePolicy<Given>(
  policy: Decorating<Given>,
  given: readonly unknown[],
): PolicyDecorator {
  const { label } = policy;
  if (isWithoutParentheses(label, given)) {
    // A class stays as it is, and so does a method.
    return (given.length === 1 ? given[0] : undefined) as PolicyDecorator;
  }
  const [first = {}, ...others] = given;
  const wrong = policy.wrong?.(given[0]);
  if (wrong !== undefined) return recording(policy, undefined, wrong);
  return recording(policy, policy.normalize(first as Given), surplus(others));
}

/** A decorator that records options and a problem with its arguments, each if there is one. */
export function recording(
  policy: Recorded,
  options: object | undefined,
  problem: string | undefined,
): PolicyDecorator {
  const { label } = policy;
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    refuseStandardDecorators(label, key);
    if (key === undefined && typeof target !== 'function') {
      throw new TypeError(`${label} decorates ${show(target)}; use it on a class or a method`);
    }
    if (problem !== undefined) recordMisplaced(ownerOf(target), { key, label, problem });
    if (options === undefined) return;
    if (key === undefined && !policy.methodsOnly)
      decorateClass(policy, options, target as Function);
    else decorateMethod(policy, options, target, key, descriptor);
  };
}

/** The problem of arguments that nobody reads. */
export function surplus(given: readonly unknown[], right?: string): string | undefined {
  const one = given.find((each) => each !== undefined);
  return one === undefined
    ? undefined
    : `has one argument too many, ${show(one)}, which has no effect; ${right ?? 'give all options as one object'}`;
}

function ownerOf(target: object): Function {
  return typeof target === 'function' ? target : target.constructor;
}

function decorateMethod(
  { kind, label }: Recorded,
  options: object,
  target: object,
  key: string | symbol | undefined,
  descriptor: PropertyDescriptor | undefined,
): void {
  const owner = ownerOf(target);
  if (typeof descriptor?.value !== 'function') {
    const what = key === undefined ? 'a class' : misplacedOn(descriptor);
    const problem = `decorates ${what}; only methods can be protected`;
    return recordMisplaced(owner, { key, label, problem });
  }
  const { policies, static: isStatic } = wrapMethod(target, key!, descriptor);
  if (!isStatic) prepareSlot(target);
  if (policies.has(kind)) recordMisplaced(owner, { key, label, problem: TWICE });
  policies.set(kind, options);
}

/** @param third the third argument of a decorator that is not on a method */
function misplacedOn(third: unknown): string {
  if (typeof third === 'number') return 'a parameter';
  return third === undefined ? 'a field' : 'an accessor';
}

const TWICE = 'is applied twice; use it once';

function decorateClass({ kind, label }: Recorded, options: object, type: Function): void {
  if (ownClassPolicies(type).has(kind)) {
    recordMisplaced(type, { key: undefined, label, problem: TWICE });
  }
  recordClassPolicy(type, kind, options);
  prepareSlot(type.prototype as object);
  coverClass(type);
}
