import { isDeepStrictEqual } from 'node:util';
import { brand } from '../../common/brand.js';
import { isPlainObject } from '../../common/objects.js';
import type { Problems } from '../../common/options-reader.js';
import { define, ownValue } from '../../common/own.js';
import { show } from '../../common/printable.js';
import { difference } from '../../registry/named-parts.js';
import type { ResilienceFeatureOptions } from '../module-options.js';
import type { Layers } from './layers.js';
import { literalOverrides } from './overrides.js';

/** Injection token of the {@link Feature} of a module that `forFeature()` has made. */
export const FEATURE = brand('feature');

const BRAND = brand('feature-options');

/** The options of one use of `forFeature()`. */
export class Feature {
  readonly [BRAND] = true;
  /** Private, since Nest 10 reads all that a provider's value shows, before anything can be checked. */
  readonly #options: ResilienceFeatureOptions;

  constructor(options: ResilienceFeatureOptions) {
    this.#options = options;
  }

  get options(): ResilienceFeatureOptions {
    return this.#options;
  }
}

/** Auto-mocking test tools give modules something else. */
export function isFeature(value: unknown): value is Feature {
  return (value as Partial<Feature> | null | undefined)?.[BRAND] === true;
}

/** Options, and the place that they come from, for messages. */
export interface Source {
  readonly where: string;
  readonly options: ResilienceFeatureOptions;
}

/** The part of Nest's module that is used here; its packages do not export the class. */
interface NestModule {
  readonly name: string;
  readonly imports: ReadonlySet<NestModule>;
  readonly providers: ReadonlyMap<unknown, { readonly instance: unknown }>;
}

/** The features of an application's modules, as far as these are known, each with the modules that import it. */
export function featuresIn(modules: ReadonlyMap<string, NestModule>): Map<Feature, string> {
  const found = new Map<Feature, string>();
  for (const module of modules.values()) {
    const feature = module.providers.get(FEATURE)?.instance;
    if (!isFeature(feature)) continue;
    const users = [...modules.values()].filter(({ imports }) => imports.has(module));
    found.set(feature, users.map(({ name }) => name).join(', '));
  }
  return found;
}

/** The options of all sources together. Two sources that differ are a problem; then the first one is kept. */
export function merged(
  sources: readonly Source[],
  problems: Problems,
): Pick<Layers, 'configs' | 'pipelines' | 'overrides'> {
  return {
    configs: new Collection(problems).of('configs', sources),
    pipelines: new Collection(problems).of('pipelines', sources),
    overrides: new Collection(problems).of('overrides', sources),
  };
}

/** The sets of one group. Those of `overrides` may come in pieces, a policy here and a policy there. */
class Collection {
  private readonly known = new Map<string, { readonly value: unknown; readonly where: string }>();

  constructor(private readonly problems: Problems) {}

  of(group: keyof ResilienceFeatureOptions, sources: readonly Source[]): Record<string, object> {
    const sets: Record<string, object> = {};
    for (const { where, options } of sources) {
      const given = givenIn(options, group);
      if (!isPlainObject(given)) continue; // reported
      for (const [name, set] of Object.entries(given)) {
        const path = `${group}['${name}']`;
        if (group !== 'overrides' || !isPlainObject(set)) this.add(sets, name, set, path, where);
        else this.addPolicies(sets, name, set, path, where);
      }
    }
    return sets;
  }

  private addPolicies(
    sets: Record<string, object>,
    target: string,
    set: Readonly<Record<string, unknown>>,
    path: string,
    where: string,
  ): void {
    const policies = { ...ownValue(sets, target) };
    define(sets, target, policies);
    for (const [kind, options] of Object.entries(set)) {
      if (options !== undefined) this.add(policies, kind, options, `${path}.${kind}`, where);
    }
  }

  private add(record: object, key: string, value: unknown, path: string, where: string): void {
    const before = this.known.get(path);
    if (before === undefined) {
      this.known.set(path, { value, where });
      define(record, key, value);
    } else if (!isDeepStrictEqual(before.value, value)) {
      const what = differenceOf(before.value, value);
      this.problems.add(where, `${path} is given in ${before.where} too: ${what}; give it once`);
    }
  }
}

function givenIn(options: unknown, group: keyof ResilienceFeatureOptions): unknown {
  if (!isPlainObject(options)) return undefined;
  return group === 'overrides' ? literalOverrides(options.overrides) : options[group];
}

function differenceOf(one: unknown, other: unknown): string {
  return isPlainObject(one) && isPlainObject(other)
    ? difference(one, other)
    : `${show(one)} there and ${show(other)} here`;
}
