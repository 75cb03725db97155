import { Problems } from '../common/options-reader.js';
import { show } from '../common/printable.js';
import type { PipelineOptions } from '../execution/module-options.js';
import { policies } from '../policies/canonical-order.js';

/** Problems of the name, and of options in the wrong form; the options themselves are checked when the plan is made. */
export function problemsOf(
  title: string,
  name: unknown,
  set: unknown,
  check: (where: string, path: string, set: unknown, problems: Problems) => void,
): Problems {
  const problems = new Problems();
  if (typeof name !== 'string' || name === '') {
    problems.add(title, `the name is ${show(name)}; use a non-empty string`);
  }
  check(title, '', set, problems);
  return problems;
}

/** The options that a second definition has to repeat. */
export function comparable({ order, ...given }: PipelineOptions): object {
  return { ...normalized(given), ...(order !== undefined && { order }) };
}

/**
 * Policies without shorthands, so that options that mean the same are equal. Unknown policies have been reported.
 *
 * @param forCommand whether there may be several definitions, each with its own functions
 */
export function normalized(given: object, forCommand = false): Record<string, object> {
  const entries = Object.entries(given).flatMap(([kind, options]): [string, object][] => {
    const policy = policies.get(kind);
    if (policy === undefined || options === undefined) return [];
    const own: unknown = forCommand ? (policy.askDefinition?.(options) ?? options) : options;
    return [[kind, policy.normalize(own)]];
  });
  return Object.fromEntries(entries);
}
