import { isPlainObject } from '../../common/options-reader.js';
import { define, ownValue } from '../../common/own.js';

/** Options by name. */
export type Options = Record<string, unknown>;

/** Later wins, option by option. @param nested the options that are objects themselves, which are merged as well */
export function merge(base: Options, over: Options, nested: readonly string[] = []): Options {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const before = ownValue(merged, key);
    const both = nested.includes(key) && isPlainObject(before) && isPlainObject(value);
    define(merged, key, both ? { ...before, ...value } : value);
  }
  return merged;
}
