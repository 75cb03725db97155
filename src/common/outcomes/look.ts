import { types } from 'node:util';

// The one place that inspects foreign errors and results. They may be anything: objects with getters that throw,
// proxies whose traps throw, revoked proxies. Inspecting never throws: what cannot be read counts as absent.

const NOTHING: readonly unknown[] = [];

/** The answer of `question`, or `otherwise` when it throws. */
export function ask<T>(question: () => T, otherwise: T): T {
  try {
    return question();
  } catch {
    return otherwise;
  }
}

/** The predicate, but false when it throws or answers with a promise. */
export function safely<V>(predicate: (value: V) => boolean): (value: V) => boolean {
  return (value) => {
    try {
      const answer: unknown = predicate(value);
      if (!isPromiseLike(answer)) return Boolean(answer);
      swallow(answer);
    } catch {
      // has not matched
    }
    return false;
  };
}

/** The property `key` of any value; `undefined` when there is none or it cannot be read. */
export function look(value: unknown, key: PropertyKey): unknown {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
    return undefined;
  }
  try {
    return (value as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** As {@link look}, but `undefined` unless the property is a string. */
export function lookForText(value: unknown, key: PropertyKey): string | undefined {
  const found = look(value, key);
  return typeof found === 'string' ? found : undefined;
}

/** As {@link look}, but `undefined` unless the property is a whole number. */
export function lookForInteger(value: unknown, key: PropertyKey): number | undefined {
  const found = look(value, key);
  return Number.isInteger(found) ? (found as number) : undefined;
}

/** The result of the method `key` of `value`; `undefined` when there is no such method, or it throws. */
export function lookByCall(value: unknown, key: PropertyKey, ...args: unknown[]): unknown {
  const method = look(value, key);
  if (typeof method !== 'function') return undefined;
  return ask(() => Reflect.apply(method, value, args) as unknown, undefined);
}

/** The first items of an array, at most `most`; none when it is not an array or cannot be read. */
export function lookAtItems(value: unknown, most: number): readonly unknown[] {
  // Array.isArray() throws for a revoked proxy.
  if (!ask(() => Array.isArray(value), false)) return NOTHING;
  const length = lookForInteger(value, 'length') ?? 0;
  return Array.from({ length: Math.min(Math.max(length, 0), most) }, (_, at) => look(value, at));
}

/** `value instanceof type`, but false when it throws. */
export function isInstance(value: unknown, type: unknown): boolean {
  try {
    return value instanceof (type as new () => object);
  } catch {
    return false;
  }
}

export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || isInstance(value, Error);
}

/** The prototype; `null` at the end of the chain, and where it cannot be read. */
export function prototypeOf(value: unknown): object | null {
  return ask(() => Object.getPrototypeOf(value) as object | null, null);
}

/** The names of own enumerable properties; none when they cannot be read. */
export function keysOf(value: unknown): readonly string[] {
  return ask(() => Object.keys(value as object), []);
}

/**
 * Whether awaiting the value waits: also true for a promise of another realm, and false for a value that cannot be inspected,
 * whose error the one who awaits it gets. Written out, since each call asks.
 */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  try {
    return typeof (value as { readonly then?: unknown }).then === 'function';
  } catch {
    return false;
  }
}

/** Keeps a promise that was returned where none belongs from becoming an unhandled rejection. */
export function swallow(value: unknown): void {
  if (isPromiseLike(value)) lookByCall(value, 'then', undefined, () => {});
}
