import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from '../common/objects.js';
import { Problems } from '../common/options-reader.js';
import { show } from '../common/printable.js';
import { type PipelineOptions, checkPolicies } from '../execution/module-options.js';
import { policies } from '../policies/canonical-order.js';
import { difference } from '../registry/named-parts.js';

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
 * Policies without shorthands, so that options that mean the same are equal. Unknown ones have been reported, and those whose
 * options have the wrong form.
 *
 * @param forCommand whether there may be several definitions, each with its own functions
 */
export function normalized(given: object, forCommand = false): Record<string, object> {
  const entries = Object.entries(given).flatMap(([kind, asGiven]): [string, object][] => {
    const policy = policies.get(kind);
    if (policy === undefined || asGiven === undefined) return [];
    const own: unknown = forCommand ? (policy.askDefinition?.(asGiven) ?? asGiven) : asGiven;
    const options = policy.normalize(own);
    return isPlainObject(options) ? [[kind, options]] : [];
  });
  return Object.fromEntries(entries);
}

/** The problems with the definition of a command. */
export function problemsOfCommand(title: string, name: unknown, definition: unknown): Problems {
  if (!isPlainObject(definition)) return problemsOf(title, name, definition, checkPolicies);
  const { run, pipeline, ...set } = definition;
  const problems = problemsOf(title, name, set, (where, path, own, found) =>
    checkPolicies(where, path, own, found, { configurable: true }),
  );
  if (typeof run !== 'function') problems.add(title, `run is ${show(run)}; use a function`);
  if (pipeline !== undefined && typeof pipeline !== 'string') {
    problems.add(title, `pipeline is ${show(pipeline)}; use the name of one`);
  }
  return problems;
}

/** The problem with a second definition, unless it repeats the options. */
export function differences(title: string, before: object, now: object): string[] {
  if (isDeepStrictEqual(before, now)) return [];
  const what = difference(before, now);
  return [
    `${title}: is already defined with different options: ${what}; repeat them, or choose another name`,
  ];
}
