import { classLine, classOf, inherits, lineOf } from './class-line.js';
import { isNeverCovered } from './never-covered.js';
import { ownClassPolicies } from './records.js';
import { type PolicyRecord, type Site, methodKeysOf, siteDeclaredAt } from './site.js';

/** A decorated method as a call finds it. Calls of the same owned method share a plan, and what has a state. */
export interface OwnedMethod {
  readonly site: Site;
  /** The class that it is called on; when an override calls it by `super`, the class that declares it. */
  readonly owner: Function;
  /** Whether the policies of the class are left out: a method that runs in another one's place, or a `super` call under which they apply already. */
  readonly ownOnly: boolean;
}

/** The policies in force for calls of a method: its own, then those of the nearest class. */
export function policiesOf({ site, owner, ownOnly }: OwnedMethod): PolicyRecord {
  const all = new Map(site.policies);
  if (ownOnly || site.static || isNeverCovered(site, owner)) return all;
  for (const type of classLine(owner)) {
    for (const [kind, options] of ownClassPolicies(type)) {
      if (!all.has(kind)) all.set(kind, options);
    }
  }
  return all;
}

/**
 * The method that a call of `site` is one of.
 *
 * @param holder the prototype of the instance that it is called on, the class when it is static, or `undefined`
 */
export function ownedMethod(site: Site, holder: object | undefined): OwnedMethod {
  const { target, key, declaringClass } = site;
  if (holder === undefined || !inherits(holder, target)) {
    return { site, owner: declaringClass, ownOnly: false };
  }
  let overridden = false;
  let covered = false;
  for (const between of lineOf(holder, target)) {
    const descriptor = Object.getOwnPropertyDescriptor(between, key);
    if (descriptor === undefined) continue;
    const override = siteDeclaredAt(between, key);
    if (override === undefined && isSpy(descriptor.value)) continue;
    overridden = true;
    covered ||= override !== undefined;
  }
  if (overridden) return { site, owner: declaringClass, ownOnly: covered };
  const owner = site.static ? (holder as Function) : (classOf(holder, target) ?? declaringClass);
  return { site, owner, ownOnly: false };
}

/** A spy on an inherited method stands in front of it, as no override does. */
function isSpy(value: unknown): boolean {
  if (typeof value !== 'function') return false;
  return '_isMockFunction' in value || 'isSinonProxy' in value || 'mock' in value;
}

/** All protected methods of a class and its instances, and those of its parents that its overrides can call. */
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
      const site = siteDeclaredAt(target, key);
      if (site === undefined) continue;
      const method = ownedMethod(site, holder);
      if (policiesOf(method).size > 0) methods.push(method);
    }
  }
  return methods;
}
