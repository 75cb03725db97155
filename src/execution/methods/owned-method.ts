import { classLine, classOf, inherits, lineOf } from './class-line.js';
import { isNeverCovered } from './never-covered.js';
import { ownClassPolicies } from './records.js';
import {
  type PolicyRecord,
  type DecoratedMethod,
  methodKeysOf,
  decoratedMethodAt,
} from './decorated-method.js';

/** A decorated method together with the class that it is called on. Calls of the same owned method share a plan. */
export interface OwnedMethod {
  readonly decorated: DecoratedMethod;
  /** The class that it is called on; if an override calls it by `super`, the class that declares it. */
  readonly owner: Function;
  /** Whether the policies of the class are left out: for a fallback method, or a `super` call whose override has them already. */
  readonly ownOnly: boolean;
}

/** The policies in force for calls of a method: its own, then those of the nearest class. */
export function policiesOf({ decorated, owner, ownOnly }: OwnedMethod): PolicyRecord {
  const all = new Map(decorated.policies);
  if (ownOnly || decorated.static || isNeverCovered(decorated, owner)) return all;
  for (const type of classLine(owner)) {
    for (const [kind, options] of ownClassPolicies(type)) {
      if (!all.has(kind)) all.set(kind, options);
    }
  }
  return all;
}

/**
 * The owned method of a call.
 *
 * @param holder the prototype of the instance that it is called on, the class if it is static, or `undefined`
 */
export function ownedMethod(decorated: DecoratedMethod, holder: object | undefined): OwnedMethod {
  const { target, key, declaringClass } = decorated;
  if (holder === undefined || !inherits(holder, target)) {
    return { decorated, owner: declaringClass, ownOnly: false };
  }
  let overridden = false;
  let covered = false;
  for (const between of lineOf(holder, target)) {
    const descriptor = Object.getOwnPropertyDescriptor(between, key);
    if (descriptor === undefined) continue;
    const override = decoratedMethodAt(between, key);
    if (override === undefined && isSpy(descriptor.value)) continue;
    overridden = true;
    covered ||= override !== undefined;
  }
  if (overridden) return { decorated, owner: declaringClass, ownOnly: covered };
  const owner = decorated.static
    ? (holder as Function)
    : (classOf(holder, target) ?? declaringClass);
  return { decorated, owner, ownOnly: false };
}

/** Whether it is a test's spy, which represents the method that it calls. */
export function isSpy(value: unknown): boolean {
  if (typeof value !== 'function') return false;
  return '_isMockFunction' in value || 'isSinonProxy' in value || 'mock' in value;
}

/** All protected methods of a class and its instances, including its parents' methods that its overrides can call. */
export function methodsOf(owner: Function): OwnedMethod[] {
  const prototype = owner.prototype as object | undefined;
  return [
    ...(prototype === undefined ? [] : methodsAlong(prototype, Object.prototype)),
    ...methodsAlong(owner, Function.prototype),
  ];
}

function methodsAlong(holder: object, end: object): OwnedMethod[] {
  const methods: OwnedMethod[] = [];
  for (const target of lineOf(holder, end)) {
    for (const key of methodKeysOf(target)) {
      const decorated = decoratedMethodAt(target, key);
      if (decorated === undefined) continue;
      const method = ownedMethod(decorated, holder);
      if (policiesOf(method).size > 0) methods.push(method);
    }
  }
  return methods;
}
