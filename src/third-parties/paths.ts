import { ask, look, prototypeOf } from '../common/outcomes/look.js';

/** The key of a method or member in options: its path from the protected object. */
export type Path = string | symbol;

/** The key of `'*'` in options. */
export const ALL_OTHERS = '*';

export function pathTo(parent: Path, key: PropertyKey): Path {
  if (parent === '') return typeof key === 'number' ? String(key) : key;
  return `${String(parent)}.${String(key)}`;
}

/** The value at a path; accessors along the way run. */
export function valueAt(object: unknown, path: Path): unknown {
  // A name with a dot may be a member itself.
  if (typeof path === 'symbol' || ask(() => path in (object as object), false)) {
    return look(object, path);
  }
  return path.split('.').reduce<unknown>((at, key) => look(at, key), object);
}

/** The names of all methods of an object, inherited ones included, for messages. Runs no accessor. */
export function methodNamesOf(object: unknown): string[] {
  const names = new Set<string>();
  for (let holder = object; isObject(holder) && holder !== Object.prototype;) {
    const level = holder;
    for (const name of ask(() => Object.getOwnPropertyNames(level), [])) {
      const descriptor = ask(() => Object.getOwnPropertyDescriptor(level, name), undefined);
      if (name !== 'constructor' && typeof descriptor?.value === 'function') names.add(name);
    }
    holder = prototypeOf(level);
  }
  return [...names];
}

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
