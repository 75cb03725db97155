import { Problems } from '../../common/options-reader.js';
import { show } from '../../common/printable.js';
import { policies } from '../../policies/canonical-order.js';
import { effectiveOptions, kindsOf } from '../effective-options.js';
import type { Subject } from '../subject.js';
import { EVERYTHING } from './everything.js';
import type { Layers } from './layers.js';

/** The names that overrides can have, and the policies that there are under each of them. */
export class OverrideTargets {
  private readonly kinds = new Map<string, Set<string>>();
  /** The same without the names of breakers, rate limits and bulkheads. */
  readonly ofSubjects: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(subjects: readonly Subject[], layers: Layers) {
    for (const pipeline of Object.keys(layers.pipelines)) {
      this.add(pipeline, kindsOf({ policies: new Map(), pipeline }, layers));
    }
    for (const subject of subjects) {
      const kinds = kindsOf(subject, layers);
      for (const target of subject.overrideKeys) this.add(target, kinds);
    }
    this.ofSubjects = new Map(this.kinds);
    for (const subject of subjects) {
      for (const [kind, part] of partNamesOf(subject, layers)) this.add(part, [kind]);
    }
  }

  /** Whether a target stands for anything. */
  has(target: string): boolean {
    return target === EVERYTHING || this.kinds.has(target);
  }

  /**
   * Reports an override of nothing, or of policies that its target does not have: it is misspelt.
   *
   * @param path where it stands, such as `overrides`
   */
  check(where: string, path: string, target: string, override: object, problems: Problems): void {
    if (target === EVERYTHING) return;
    const kinds = this.kinds.get(target);
    if (kinds === undefined) {
      problems.add(where, `${path} has ${show(target)}, which is ${this.notOneOfThese(target)}`);
      return;
    }
    for (const kind of Object.keys(override ?? {})) {
      if (kinds.has(kind) || !policies.has(kind)) continue;
      problems.add(
        where,
        `${path}['${target}'] has ${kind}, but ${target} has no such policy; an override can change policies, not add them`,
      );
    }
  }

  private notOneOfThese(target: unknown): string {
    const names = [...this.kinds.keys()];
    const keyed =
      typeof target === 'string' && target.endsWith(']')
        ? names.find((name) => target.startsWith(`${name}[`))
        : undefined;
    return keyed === undefined
      ? `not a decorated class or method, a command, a pipeline, a circuit breaker, a rate limit or a bulkhead; there are ${['*', ...names].join(', ')}`
      : `one key of ${show(keyed)}; use that name, for all its keys, also those that have not been used yet`;
  }

  private add(target: string, kinds: Iterable<string>): void {
    this.kinds.set(target, new Set([...(this.kinds.get(target) ?? []), ...kinds]));
  }
}

/** The names that a subject's options give to the parts behind its policies, by kind. */
export function partNamesOf(subject: Subject, layers: Layers): [kind: string, name: string][] {
  return kindsOf(subject, layers).flatMap((kind): [string, string][] => {
    const { options } = effectiveOptions(kind, subject, subject.title, layers, new Problems());
    const { name } = options;
    return typeof name === 'string' && name !== '' ? [[kind, name]] : [];
  });
}
