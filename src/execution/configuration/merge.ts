import { isPlainObject } from '../../common/objects.js';

/** Options by name. */
export type Options = Record<string, unknown>;

/** Later wins, option by option. @param nested the options that are objects themselves, which are merged as well */
export function merge(base: Options, over: Options, nested: readonly string[] = []): Options {
  // Not by assignment, which would take `__proto__` for a command.
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const before = merged.get(key);
    const both = nested.includes(key) && isPlainObject(before) && isPlainObject(value);
    merged.set(key, both ? { ...before, ...value } : value);
  }
  return Object.fromEntries(merged);
}
