import type { Observable } from 'rxjs';
import { coverClass } from '../execution/coverage.js';
import { wrapMethod } from '../execution/method-wrapper.js';
import { ownClassPolicies, recordClassPolicy, recordMisplaced } from '../execution/records.js';
import { prepareSlot } from '../execution/slot.js';
import { refuseStandardDecorators } from '../execution/standard-decorators.js';

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
type Recorded = Readonly<Record<'kind' | 'label', string>>;

/** Records the options of a policy, on a method or on all methods of a class. */
export function definePolicy(policy: Recorded, options: object): PolicyDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (key === undefined) decorateClass(policy, options, target as Function);
    else decorateMethod(policy, options, target, key, descriptor);
  };
}

export function decorateMethod(
  { kind, label }: Recorded,
  options: object,
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor | undefined,
): void {
  refuseStandardDecorators(label, key);
  const owner = typeof target === 'function' ? target : target.constructor;
  if (typeof descriptor?.value !== 'function') {
    const what = misplacedOn(descriptor);
    const problem = `decorates ${what}; only methods can be protected`;
    return recordMisplaced(owner, { key, label, problem });
  }
  const { policies, static: isStatic } = wrapMethod(target, key, descriptor);
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
