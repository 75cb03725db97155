import { isDeepStrictEqual } from 'node:util';
import { nearest } from '../../common/nearest.js';
import { Problems } from '../../common/options-reader.js';
import { printable, show } from '../../common/printable.js';
import type { Environment } from './environment.js';
import type { Options } from './merge.js';
import { means, variableForm } from './variable-names.js';
import { type Setting, VariableReader, told } from './variable.js';

/** One option that variables give. */
export interface GivenByVariables {
  readonly options: Options;
  /** The names of the variables. */
  readonly origin: string;
}

/** A setting, and the place that its variable was read in. */
type Placed = Setting & { readonly where: string };

/** The variables of the environment that override options. */
export class Variables {
  private readonly settings: readonly Placed[];
  private readonly problems = new Problems();

  constructor(sources: Iterable<{ readonly where: string; readonly environment: Environment }>) {
    const settings: Placed[] = [];
    for (const { where, environment } of sources) {
      const { prefix, variables, problem } = environment;
      if (problem !== undefined) this.problems.add(where, `overridesFromEnv(): ${problem}`);
      for (const [variable, text] of variables) {
        const report = (what: string): void =>
          this.problems.add(where, `${told({ variable, text })}${what}`);
        const read = new VariableReader(variable, text, prefix, report).read();
        settings.push(...read.map((setting) => ({ ...setting, where })));
      }
    }
    this.settings = settings;
  }

  /** The options of a policy for one target of overrides. */
  of(target: string, kind: string): GivenByVariables[] {
    const byOption = new Map<string, Placed[]>();
    for (const setting of this.settings) {
      if (setting.kind !== kind || !means(setting.target, target)) continue;
      const [option] = setting.place;
      if (option === undefined) continue; // reported
      byOption.set(option, [...(byOption.get(option) ?? []), setting]);
    }
    return Array.from(byOption.values(), (settings) => ({
      options: assembled(settings),
      origin: [...new Set(settings.map(({ variable }) => variable))].join(', '),
    }));
  }

  /** Whether a variable is meant for that target. */
  has(target: string): boolean {
    return this.settings.some((setting) => means(setting.target, target));
  }

  /** Reports what is wrong whatever the targets are. */
  check(problems: Problems): void {
    for (const problem of this.problems.all) {
      if (!problems.all.includes(problem)) problems.all.push(problem);
    }
  }

  /**
   * Reports variables that match no target or two, that are for a policy that their target does not have, and that contradict
   * one another.
   *
   * @param targets the policies of each target
   */
  checkTargets(targets: ReadonlyMap<string, ReadonlySet<string>>, problems: Problems): void {
    const names = [...new Set(['*', ...targets.keys()])];
    for (const setting of this.settings) {
      const { where, kind } = setting;
      const report = (what: string): void => problems.add(where, `${told(setting)}, but ${what}`);
      const [target, ...others] = names.filter((name) => means(setting.target, name));
      if (target === undefined) report(noTarget(setting, names));
      else if (others.length > 0) report(twoTargets(setting, [target, ...others]));
      else if (target !== '*' && !targets.get(target)!.has(kind)) {
        const own = [...targets.get(target)!].join(', ');
        report(
          `${target} has no ${kind}; an override can change policies, not add them; use one of ${own}`,
        );
      }
    }
    for (const name of names) this.checkTogether(name, problems);
  }

  private checkTogether(target: string, problems: Problems): void {
    const settings = this.settings.filter((setting) => means(setting.target, target));
    settings.forEach((setting, index) => {
      const other = settings.slice(0, index).find((before) => contradict(before, setting));
      if (other === undefined) return;
      const option = `${setting.kind}.${setting.place.join('.')}`;
      problems.add(
        setting.where,
        `${told(setting)} and ${told(other)}, but both give ${option} of ${target}; use one of them`,
      );
    });
  }
}

function noTarget(setting: Setting, names: readonly string[]): string {
  const given = setting.target.join('__');
  const closest = nearest(given, names.map(variableForm))!;
  const known = names.map(variableForm).join(', ');
  return `${printable(given)} is not a decorated class or method, a command or a pipeline; use ${setting.forTarget(closest)}; there are ${known}`;
}

function twoTargets(setting: Setting, targets: readonly string[]): string {
  const what = `${setting.target.join('__')} means ${targets.map(show).join(' and ')}`;
  const clear = targets.map(variableForm).filter((form) => {
    const segments = form.split('__');
    return targets.filter((target) => means(segments, target)).length === 1;
  });
  return clear.length === targets.length
    ? `${what}; use ${clear.map((form) => setting.forTarget(form)).join(' or ')}`
    : `${what}; use overrides in code, which have the exact names`;
}

function contradict(one: Setting, other: Setting): boolean {
  if (one.kind !== other.kind || one.place.length === 0 || other.place.length === 0) return false;
  const shared = Math.min(one.place.length, other.place.length);
  if (!isDeepStrictEqual(one.place.slice(0, shared), other.place.slice(0, shared))) return false;
  return one.place.length !== other.place.length || !isDeepStrictEqual(one.value, other.value);
}

/** The options that settings of one option make together. */
function assembled(settings: readonly Setting[]): Options {
  const options: Options = {};
  for (const { place, value } of settings) {
    const parent = objectAt(options, place.slice(0, -1));
    if (parent !== undefined) parent[place.at(-1)!] = value;
  }
  for (const { tag } of settings) {
    const tagged = tag && objectAt(options, tag.place);
    if (tagged === undefined) continue;
    tagged.kind ??= kindFor(settings);
    tagged.options ??= {};
  }
  return options;
}

/** The kind that is meant when none is given: the first one that has all options. */
function kindFor(settings: readonly Setting[]): string {
  const tags = settings.flatMap(({ tag }) => tag ?? []);
  const first = tags[0]!.kinds;
  return first.find((kind) => tags.every(({ kinds }) => kinds.includes(kind))) ?? first[0]!;
}

/** The object in that place, made if there is none; `undefined` when there is something else (reported). */
function objectAt(options: Options, place: readonly string[]): Options | undefined {
  let at = options;
  for (const name of place) {
    const next = (at[name] ??= {});
    if (typeof next !== 'object') return undefined;
    at = next as Options;
  }
  return at;
}
