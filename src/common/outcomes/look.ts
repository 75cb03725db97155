// The one place where errors and results of others are looked at. They may be anything: getters that throw, proxies
// whose traps throw, revoked proxies. To look changes nothing: what cannot be read is not there.

const NOTHING: readonly unknown[] = [];

/** The answer of `question`, or `otherwise` when it throws. */
export function ask<T>(question: () => T, otherwise: T): T {
  try {
    return question();
  } catch {
    return otherwise;
  }
}

/** A predicate that has not matched when it throws. */
export function safely<V>(predicate: (value: V) => boolean): (value: V) => boolean {
  return (value) => {
    try {
      return Boolean(predicate(value));
    } catch {
      return false;
    }
  };
}

/** The property `key` of anything; `undefined` when there is none, or when it cannot be read. */
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

/** {@link look} for a string. */
export function lookForText(value: unknown, key: PropertyKey): string | undefined {
  const found = look(value, key);
  return typeof found === 'string' ? found : undefined;
}

/** {@link look} for a whole number. */
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

/** The first items of a list; none when it is not a list, or cannot be read. */
export function lookAtItems(value: unknown, most: number): readonly unknown[] {
  if (typeof value !== 'object' || !isList(value)) return NOTHING;
  const length = lookForInteger(value, 'length') ?? 0;
  return Array.from({ length: Math.min(Math.max(length, 0), most) }, (_, at) => look(value, at));
}

function isList(value: unknown): boolean {
  try {
    return Array.isArray(value); // of a proxy that has been revoked, it throws
  } catch {
    return false;
  }
}

/** `value instanceof type`. */
export function isInstance(value: unknown, type: unknown): boolean {
  try {
    return value instanceof (type as new () => object);
  } catch {
    return false;
  }
}

/** `null` at the end of the chain, and where it cannot be followed. */
export function prototypeOf(value: unknown): object | null {
  return ask(() => Object.getPrototypeOf(value) as object | null, null);
}

/** The names of its own enumerable properties. */
export function keysOf(value: unknown): readonly string[] {
  return ask(() => Object.keys(value as object), []);
}
