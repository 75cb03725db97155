import { type InspectOptions, inspect } from 'node:util';
import { isClass } from '../common/outcomes/error-matcher.js';

/** The replacement of a function of a protected object. */
export type Replacement = (self: unknown, args: readonly unknown[]) => unknown;

/** The questions of a proxy about the members of its object. */
export interface Members {
  /** The protected form of a function; `undefined` for one without policies. */
  method(key: PropertyKey, method: Function): Replacement | undefined;
  /** The protected form of a member that is an object; `undefined` for one without. */
  object(key: PropertyKey, value: object): object | undefined;
  /** Whether a member is hidden. */
  hides(key: PropertyKey): boolean;
}

/** The originals of replaced functions, so that assigning one back does not wrap it twice. */
const originals = new WeakMap<object, unknown>();

type Shadow = Record<PropertyKey, unknown>;

/**
 * Stands for `original` and has the same type: everything reaches the original, which is `this` in its methods, getters and
 * setters, so that private members work. Functions and some objects are replaced, always by the same ones.
 *
 * The target of the proxy is a shadow: the invariants of proxies would force the original's own functions on us if it is frozen. The
 * shadow takes over the properties that may not change, with our functions as their values.
 */
export function protectedObject<T extends object>(original: T, members: Members): T {
  const handler = new ProtectedObject(original, members);
  const shadow = typeof original === 'function' ? shadowOfFunction(original) : {};
  Object.setPrototypeOf(shadow, shownAs(original));
  handler.proxy = new Proxy(shadow, handler);
  return handler.proxy as T;
}

/** The prototype of a shadow, which `util.inspect()` sees instead of the proxy: logs show the original. */
function shownAs(original: object): object {
  return {
    [inspect.custom]: (depth: number, options: InspectOptions, show: typeof inspect) =>
      show(original, { ...options, depth }),
  };
}

/** A function for the type and for `new`. Only the properties of {@link ProtectedObject.mirror} matter. */
function shadowOfFunction(original: Function): object {
  return isConstructor(original) ? function () {} : () => {};
}

function isConstructor(value: Function): boolean {
  try {
    Reflect.construct(Object, [], value);
    return true;
  } catch {
    return false;
  }
}

class ProtectedObject implements ProxyHandler<Shadow> {
  proxy: object = {};
  private readonly replacements = new WeakMap<object, Map<PropertyKey, object>>();

  constructor(
    private readonly original: object,
    private readonly members: Members,
  ) {}

  get(_shadow: Shadow, key: PropertyKey): unknown {
    if (this.members.hides(key)) return undefined;
    return this.shown(key, Reflect.get(this.original, key, this.original));
  }

  set(_shadow: Shadow, key: PropertyKey, value: unknown): boolean {
    return Reflect.set(this.original, key, originalOf(value), this.original);
  }

  has(_shadow: Shadow, key: PropertyKey): boolean {
    return !this.members.hides(key) && Reflect.has(this.original, key);
  }

  deleteProperty(shadow: Shadow, key: PropertyKey): boolean {
    return Reflect.deleteProperty(this.original, key) && Reflect.deleteProperty(shadow, key);
  }

  defineProperty(shadow: Shadow, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    const own = { ...descriptor };
    if ('value' in own) own.value = originalOf(own.value);
    if (!Reflect.defineProperty(this.original, key, own)) return false;
    // A proxy has to show an unchangeable property with exactly the value it was defined with.
    if (own.configurable !== true && own.writable !== true) this.keep(key, descriptor.value);
    this.mirror(shadow, key);
    return true;
  }

  getOwnPropertyDescriptor(shadow: Shadow, key: PropertyKey): PropertyDescriptor | undefined {
    this.mirrorIfFixed(shadow);
    return this.mirror(shadow, key);
  }

  ownKeys(shadow: Shadow): (string | symbol)[] {
    this.mirrorIfFixed(shadow);
    for (const key of Reflect.ownKeys(shadow)) this.mirror(shadow, key);
    return Reflect.ownKeys(this.original);
  }

  getPrototypeOf(shadow: Shadow): object | null {
    this.mirrorIfFixed(shadow);
    return Reflect.getPrototypeOf(this.original);
  }

  setPrototypeOf(_shadow: Shadow, prototype: object | null): boolean {
    return Reflect.setPrototypeOf(this.original, prototype);
  }

  isExtensible(shadow: Shadow): boolean {
    this.mirrorIfFixed(shadow);
    return Reflect.isExtensible(this.original);
  }

  preventExtensions(shadow: Shadow): boolean {
    const done = Reflect.preventExtensions(this.original);
    this.mirrorIfFixed(shadow);
    return done;
  }

  apply(_shadow: Shadow, self: unknown, args: readonly unknown[]): unknown {
    const method = this.original as Function;
    const protectedCall = this.members.method('', method);
    return protectedCall === undefined
      ? Reflect.apply(method, self, args)
      : protectedCall(self, args);
  }

  construct(_shadow: Shadow, args: readonly unknown[], newTarget: Function): object {
    const type = this.original as Function;
    return Reflect.construct(type, args, newTarget === this.proxy ? type : newTarget) as object;
  }

  /** A member as seen from outside. */
  private shown(key: PropertyKey, value: unknown): unknown {
    if (typeof value === 'function') return this.shownFunction(key, value);
    if (typeof value !== 'object' || value === null) return value;
    if (value === this.original) return this.proxy;
    return this.members.object(key, value) ?? value;
  }

  private shownFunction(key: PropertyKey, value: Function): unknown {
    const byKey = this.replacements.get(value) ?? new Map<PropertyKey, object>();
    const known = byKey.get(key);
    if (known !== undefined) return known;
    if (key === 'constructor' || isClass(value)) return value; // no methods
    const replacement = this.replacementOf(key, value);
    this.replacements.set(value, byKey.set(key, replacement));
    originals.set(replacement, value);
    return replacement;
  }

  private keep(key: PropertyKey, value: unknown): void {
    if (typeof value !== 'function') return;
    const byKey = this.replacements.get(value) ?? new Map<PropertyKey, object>();
    this.replacements.set(value, byKey.set(key, value));
  }

  /** A proxy of the function, so that it keeps its name, its length and its own members. */
  private replacementOf(key: PropertyKey, value: Function): object {
    const member = this.members.object(key, value);
    const target = (member ?? value) as Function;
    const protectedCall = member === undefined ? this.members.method(key, value) : undefined;
    return new Proxy(target, {
      apply: (_target, self: unknown, args: readonly unknown[]): unknown => {
        const own = self === this.proxy ? this.original : self;
        if (protectedCall !== undefined) return protectedCall(own, args);
        const result: unknown = Reflect.apply(target, own, args);
        return result === this.original ? this.proxy : result;
      },
    });
  }

  /** Once the original cannot be extended, neither can the shadow, so it needs all properties. */
  private mirrorIfFixed(shadow: Shadow): void {
    if (Reflect.isExtensible(this.original)) return;
    const keys = new Set([...Reflect.ownKeys(shadow), ...Reflect.ownKeys(this.original)]);
    for (const key of keys) this.mirror(shadow, key);
    if (!Reflect.isExtensible(shadow)) return;
    Reflect.setPrototypeOf(shadow, Reflect.getPrototypeOf(this.original));
    Reflect.preventExtensions(shadow);
  }

  /** Gives the shadow the original's property. @returns it, as seen from outside */
  private mirror(shadow: Shadow, key: PropertyKey): PropertyDescriptor | undefined {
    const descriptor = Reflect.getOwnPropertyDescriptor(this.original, key);
    if (descriptor === undefined) {
      Reflect.deleteProperty(shadow, key);
      return undefined;
    }
    if ('value' in descriptor) descriptor.value = this.shown(key, descriptor.value);
    // A changeable one is described, but not copied, so that a change of the original needs no change of the shadow.
    if (!descriptor.configurable || !Reflect.isExtensible(this.original)) {
      Reflect.defineProperty(shadow, key, descriptor);
    }
    return descriptor;
  }
}

function originalOf(value: unknown): unknown {
  return typeof value === 'function' ? (originals.get(value) ?? value) : value;
}
