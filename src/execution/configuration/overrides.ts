import { isOptions, isPlainObject } from '../../common/objects.js';
import type { Problems } from '../../common/options-reader.js';
import { define, ownValue } from '../../common/own.js';
import { notOptions } from '../../common/printable.js';
import { policies } from '../../policies/canonical-order.js';
import { type Environment, environmentsIn } from './environment.js';
import { merge } from './merge.js';

/** The items of a list of overrides; overrides alone are one. */
export function overridesIn(given: unknown): readonly unknown[] {
  return Array.isArray(given) ? given : [given];
}

/** The literal overrides of a list as one object, where later items win, option by option. */
export function literalOverrides(given: unknown): unknown {
  if (!Array.isArray(given)) return given;
  const all: Record<string, unknown> = {};
  for (const item of given) {
    if (!isPlainObject(item)) continue; // reported
    for (const [target, set] of Object.entries(item)) {
      define(all, target, combined(ownValue(all, target), set));
    }
  }
  return all;
}

/** The environments that overrides carry. */
export function environmentsOf(given: unknown): Environment[] {
  return overridesIn(given).flatMap((item) => (isPlainObject(item) ? environmentsIn(item) : []));
}

/** Reports a list of overrides whose items are none. @returns the items that are objects */
export function checkOverrides(
  given: unknown,
  where: string,
  problems: Problems,
): Readonly<Record<string, unknown>>[] {
  return overridesIn(given).flatMap((item, index) => {
    if (isPlainObject(item)) return [item];
    const path = Array.isArray(given) ? `overrides[${index}]` : 'overrides';
    problems.add(where, notOptions(item, { what: `${path} is` }));
    return [];
  });
}

function combined(before: unknown, set: unknown): unknown {
  if (!isPlainObject(before) || !isPlainObject(set)) return set;
  const all = { ...before };
  for (const [kind, options] of Object.entries(set)) {
    if (options !== undefined) define(all, kind, together(kind, all[kind], options));
  }
  return all;
}

function together(kind: string, before: unknown, options: unknown): unknown {
  const policy = policies.get(kind);
  if (policy === undefined || before === undefined) return options;
  const [base, over]: unknown[] = [policy.normalize(before), policy.normalize(options)];
  return isOptions(base) && isOptions(over) ? merge(base, over, policy.nested) : options;
}
