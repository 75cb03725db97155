import { isOptions } from '../common/objects.js';
import type { Problems } from '../common/options-reader.js';
import { notOptions, show } from '../common/printable.js';
import { ownValue } from '../common/own.js';
import { policies } from '../policies/canonical-order.js';
import { rightForm } from '../policies/right-form.js';
import { EVERYTHING } from './configuration/everything.js';
import type { Layers } from './configuration/layers.js';
import { type Options, merge } from './configuration/merge.js';
import { lineOf } from './configuration/named-configurations.js';
import type { Subject } from './subject.js';

/** The options of one policy of one subject, with all layers merged. */
export interface EffectiveOptions {
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Whether the policy is in force; the last layer that sets `enabled` decides. */
  readonly enabled: boolean;
  /** The layer that an option comes from, such as `overrides['*']`; `undefined` for the subject's own options. */
  readonly originOf: (option: string) => string | undefined;
  /** Whether the options only name a part that another subject defines. */
  readonly reference: boolean;
}

/** For an option changed for all instances, the end of its origin, before the parenthesis. */
export const FOR_ALL = "{ scope: 'shared' }";

/** Options that refer to a part or a configuration, or switch the policy, without defining anything. */
const NAMING = new Set(['name', 'config', 'enabled']);

/**
 * The options of every policy, which {@link effectiveOptions} reads and removes. Only decorators, commands and pipelines can
 * name a configuration.
 *
 * @param origin that of the options, as of {@link EffectiveOptions.originOf}
 */
export function optionsOfAll(origin: string | undefined): readonly string[] {
  const configurable = origin === undefined || origin.startsWith('pipelines[');
  return configurable ? ['config', 'enabled'] : ['enabled'];
}

/**
 * The options in force for one policy of a subject. Later layers win: `defaults`, the named configuration, the pipeline
 * that it uses, its own options, then `overrides`, and then changes while the application runs, those for all instances before
 * those for this one; all three by `'*'`, by the name of its breaker or bulkhead, and by its override keys.
 */
export function effectiveOptions(
  kind: string,
  { pipeline, policies: given, overrideKeys }: Subject,
  where: string,
  { defaults, configs, pipelines, overrides, variables, shared: forAll, live }: Layers,
  problems: Problems,
): EffectiveOptions {
  const policy = policies.get(kind)!;
  const normalize = (given: unknown): Options => normalized(kind, given);
  const of = (set: unknown): unknown => optionsIn(set, kind);

  const decorated = given.get(kind);
  if (decorated !== undefined && !isOptions(decorated)) {
    problems.add(where, notOptions(decorated, { right: rightForm(policy.shape, 'an object') }));
  }
  const said = asOptions(decorated);
  const definesNothing = (set: Options): boolean =>
    Object.keys(set).every((option) => NAMING.has(option) || policy.ofSubject?.includes(option));
  const shared = normalize(of(ownValue(pipelines, pipeline)));
  let reference = pipeline === undefined && 'name' in said && definesNothing(said);
  const origins = new Map<string, string | undefined>();
  let options: Options = {};
  const layer = (set: Options, origin: string | undefined): void => {
    for (const option of Object.keys(set)) origins.set(option, origin);
    options = merge(options, set, policy.nested);
  };
  layer(normalize(of(defaults)), 'defaults');
  const chosen = { ...shared, ...said };
  const line = lineFor(chosen, configs);
  if (chosen.config !== undefined && line.length === 0) {
    const known = Object.keys(configs).join(', ') || 'none';
    problems.add(
      where,
      `config is ${show(chosen.config)}, which forRoot({ configs }) does not have; it has ${known}`,
    );
  }
  for (const [name, set] of line) {
    layer(normalize(of(set)), `configs['${name}']`);
  }
  layer(shared, `pipelines['${pipeline}']`);
  layer(said, undefined);
  for (const target of targets(renamed(options.name))) {
    override(of(ownValue(overrides, target)), target, `overrides['${target}']`);
    if (target !== EVERYTHING && !overrideKeys.includes(target)) continue; // a part: variables do not name it
    for (const given of variables.of(target, kind)) override(given.options, target, given.origin);
  }
  for (const target of targets(options.name)) {
    override(of(ownValue(forAll, target)), target, `configure('${target}', ${FOR_ALL})`);
  }
  for (const target of targets(options.name)) {
    override(of(ownValue(live, target)), target, `configure('${target}')`);
  }
  const { enabled = true } = options;
  delete options.config;
  delete options.enabled;
  if (typeof enabled !== 'boolean') {
    const from = origins.has('enabled') ? ` (from ${origins.get('enabled')})` : '';
    problems.add(where, `enabled${from} is ${show(enabled)}; use true or false`);
  }
  return {
    kind,
    options,
    enabled: enabled !== false,
    reference,
    originOf: (option) => origins.get(option),
  };

  /** The name of the part in force: an override may give it another one than its options do. */
  function renamed(name: unknown): unknown {
    return [EVERYTHING, ...overrideKeys]
      .flatMap((target) => [
        of(ownValue(overrides, target)),
        ...variables.of(target, kind).map((given) => given.options),
      ])
      .reduce((known, set) => normalize(set).name ?? known, name);
  }

  /** From the least to the most specific. */
  function targets(name: unknown): string[] {
    const shared = typeof name === 'string' && !overrideKeys.includes(name) ? [name] : [];
    return [EVERYTHING, ...shared, ...overrideKeys];
  }

  function override(given: unknown, target: string, origin: string): void {
    const set = normalize(given);
    layer(set, origin);
    // An override for `'*'`, or for all users of the part, does not define its name.
    if (target === EVERYTHING || !overrideKeys.includes(target)) return;
    if (!definesNothing(set)) reference = false;
  }
}

function lineFor({ config, name }: Options, configs: Layers['configs']): ReturnType<typeof lineOf> {
  const chosen = config ?? name;
  return typeof chosen === 'string' ? lineOf(chosen, configs) : [];
}

function optionsIn(set: unknown, kind: string): unknown {
  return (set as Options | undefined)?.[kind];
}

/** Without shorthands. */
function normalized(kind: string, given: unknown): Options {
  return given === undefined ? {} : asOptions(policies.get(kind)!.normalize(given));
}

/** The policies of a subject, its own and those of the pipeline that it uses. */
export function kindsOf(
  { policies: given, pipeline }: Pick<Subject, 'policies' | 'pipeline'>,
  { pipelines }: Layers,
): string[] {
  const shared = ownValue(pipelines, pipeline) ?? {};
  const kinds = new Set([...Object.keys(shared), ...given.keys()]);
  return [...kinds].filter((kind) => policies.has(kind));
}

/** Whether the pipeline that a subject uses has the policy, so that the subject shares its part with other users. */
export function isShared(
  kind: string,
  { pipeline }: Pick<Subject, 'pipeline'>,
  { pipelines }: Layers,
): boolean {
  return (ownValue(pipelines, pipeline) as Options | undefined)?.[kind] !== undefined;
}

/** Values other than objects have been reported already. */
function asOptions(given: unknown): Options {
  return isOptions(given) ? given : {};
}
