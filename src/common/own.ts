/** Sets an own entry, even one with a name such as `__proto__`. */
export function define(record: object, key: PropertyKey, value: unknown): void {
  const property = { value, enumerable: true, writable: true, configurable: true };
  Object.defineProperty(record, key, property);
}

/** The record's own entry, as opposed to one that every object has, such as `constructor`. */
export function ownValue<T>(
  record: Readonly<Record<string, T>> | undefined,
  name: string | undefined,
): T | undefined {
  // Untyped code may pass a name that is not a string, which would be converted to one.
  if (record === undefined || typeof name !== 'string') return undefined;
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
