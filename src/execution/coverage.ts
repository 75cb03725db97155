import { classOf, lineOf, prototypeOf } from './methods/class-line.js';
import { isHandler } from './handlers/handler-kinds.js';
import { wrapMethod } from './method-wrapper.js';
import { isNeverCovered } from './methods/never-covered.js';
import { ownClassPolicies } from './methods/records.js';
import { isKnownAsynchronous } from './methods/return-type.js';
import { type Method, decoratedMethodAt } from './methods/decorated-method.js';

/** Prototypes that have been processed. */
const seen = new WeakSet<object>();

/**
 * Covers the methods of a class that has a policy, and those that it inherits. The latter get a wrapper on this class,
 * since the policies do not concern other subclasses. Called by the decorator, before there are subclasses.
 */
export function coverClass(type: Function): void {
  const prototype = type.prototype as object;
  const keys = new Set<string | symbol>();
  for (const holder of lineOf(prototype, Object.prototype)) {
    for (const key of Reflect.ownKeys(holder)) {
      if (keys.has(key)) continue;
      keys.add(key);
      cover(prototype, key, Object.getOwnPropertyDescriptor(holder, key)!, holder);
    }
  }
}

/**
 * Covers the methods of subclasses of a class that has a policy, overrides included. Called when Nest has built an
 * instance, which is before it takes handlers and listeners from it.
 */
export function coverSubclasses(instance: object): void {
  const prototype = prototypeOf(instance);
  if (prototype === undefined || seen.has(prototype)) return;
  coverLine(prototype);
}

/** The same as {@link coverSubclasses}, by prototype. */
export function coverLine(prototype: object): void {
  seen.add(prototype);
  const line = lineOf(prototype, Object.prototype);
  const covered = line.map((each) => ownClassPolicies(classOfPrototype(each)).size > 0);
  for (const holder of line.slice(0, covered.lastIndexOf(true) + 1)) {
    for (const key of Reflect.ownKeys(holder)) {
      cover(holder, key, Object.getOwnPropertyDescriptor(holder, key)!, holder);
    }
  }
}

function classOfPrototype(prototype: object): Function {
  return (
    (Object.hasOwn(prototype, 'constructor') ? classOf(prototype, prototype) : undefined) ?? Object
  );
}

/** Puts a wrapper on `target` for a method of `holder`, which is `target` or an object that it inherits from. */
function cover(
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor,
  holder: object,
): void {
  const method: unknown = descriptor.value;
  if (key === 'constructor' || typeof method !== 'function') return;
  if (decoratedMethodAt(holder, key) !== undefined) return;
  const original = method as Method;
  if (isNeverCovered({ key, original, wrapper: undefined }, holder.constructor)) return;
  if (!isHandler(method) && !isKnownAsynchronous({ target: holder, key, original })) return;
  const changed = { ...descriptor };
  wrapMethod(target, key, changed);
  // A method that cannot be replaced stays as it is, and bootstrap reports it.
  Reflect.defineProperty(target, key, changed);
}
