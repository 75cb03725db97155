import { classOf, lineOf, prototypeOf } from './class-line.js';
import { isHandler } from './handlers.js';
import { wrapMethod } from './method-wrapper.js';
import { isNeverCovered } from './never-covered.js';
import { ownClassPolicies } from './records.js';
import { isKnownAsynchronous } from './return-type.js';
import { type Method, decoratedMethodAt } from './decorated-method.js';

/** Prototypes whose methods have been looked at. */
const seen = new WeakSet<object>();

/**
 * Covers the methods of a class that has a policy, and those that it inherits: these get a wrapper here, since other
 * subclasses are not concerned. Called by the decorator, before there are subclasses.
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
 * Covers the methods of subclasses of a class that has a policy: what they declare, and their overrides. Called when an
 * instance is seen, which is before Nest takes handlers and listeners from it.
 */
export function coverSubclasses(instance: object): void {
  const prototype = prototypeOf(instance);
  if (prototype === undefined || seen.has(prototype)) return;
  coverLine(prototype);
}

/** As {@link coverSubclasses}, of a class without an instance. */
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

/** Has `target` answer for a method of `holder`, which is `target` or what it inherits from. */
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
  // One that cannot be replaced stays as it is, and bootstrap says so.
  Reflect.defineProperty(target, key, changed);
}
