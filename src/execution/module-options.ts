import type { LoggerService } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import { requireOptions } from '../common/given.js';
import { isOptions, isPlainObject } from '../common/objects.js';
import { OptionsReader, type Problems } from '../common/options-reader.js';
import { legibleThroughout } from '../common/legible.js';
import { look } from '../common/outcomes/look.js';
import { notOptions, show } from '../common/printable.js';
import { type FleetOptions, isStore, readFleetOptions } from '../fleet/options.js';
import type { ResilienceStore } from '../fleet/store.js';
import { type LogOptions, readLogOptions } from '../telemetry/log/log-options.js';
import { environmentsIn } from './configuration/environment.js';
import { checkOverrides } from './configuration/overrides.js';
import {
  type PolicyOptions,
  type StageName,
  policies,
  stageOrder,
} from '../policies/canonical-order.js';
import { rightForm } from '../policies/right-form.js';
import type { Scope } from '../policies/scope.js';

/** Options by policy. */
export type PolicyDefaults = { readonly [K in keyof PolicyOptions]?: PolicyOptions[K] };

/** Options by target, and by policy. */
export type Overrides = Readonly<Record<string, PolicyDefaults>>;

/**
 * A change of options while the application runs: options by policy. Options that are not named do not change; `null` in
 * place of a policy's options reverts all earlier patches of that policy at the same target.
 */
export type Patch = { readonly [K in keyof PolicyOptions]?: PolicyOptions[K] | null };

/** Who changes options, why, where and until when. */
export interface PatchNote {
  /** Who made the change, for events. */
  readonly by?: string;
  /** Why, for events. */
  readonly reason?: string;
  /** Whether the options of this instance are changed, or of all that share the store. Default: `'local'`. */
  readonly scope?: Scope;
  /** When a shared change ends by itself; not with `null`, which reverts for good. Default: only when it is reverted. */
  readonly until?: Date;
}

/** A named set of options by policy. */
export interface NamedConfiguration extends PolicyDefaults {
  /** The name of a configuration that provides the options which this one does not set. */
  readonly extends?: string;
}

/** The policies of a pipeline: every user of the pipeline has them all, and shares its breaker and its bulkhead. */
export interface PipelineOptions extends PolicyDefaults {
  /** The stages, outermost first. Default: the canonical order. */
  readonly order?: readonly StageName[];
}

/**
 * Options of `ResilienceModule.forRoot()`. When an option of a policy is given more than once, the later of these layers
 * wins: `defaults`, `configs`, `pipelines`, the decorator's or the command's own options, `overrides`.
 */
export interface ResilienceModuleOptions {
  /** Ignored: names the JSON schema (`nest-resilience/schema.json`) for editors, in a file that has the options. */
  readonly $schema?: string;
  /** Replace the library's defaults, for all subjects that have the policy. */
  readonly defaults?: PolicyDefaults;
  /**
   * Named sets of options, used with `@Retry({ config: 'name' })`. A breaker or a bulkhead automatically uses the one with
   * its own name.
   */
  readonly configs?: Readonly<Record<string, NamedConfiguration>>;
  /** Pipelines by name, used with `@UsePipeline('name')`, by commands and in code. */
  readonly pipelines?: Readonly<Record<string, PipelineOptions>>;
  /**
   * Take precedence over decorators, for values from the environment for example. By `'*'`, `'Class'`, `'Class.method'` or
   * the name of a command or pipeline; the most specific wins. They only change existing policies; `enabled: false`
   * switches one off. In a list, later items win; variables of {@link overridesFromEnv} win over literal options.
   */
  readonly overrides?: Overrides | readonly Overrides[];
  /** The source of times and timers. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Random numbers from 0 to below 1, for jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** The store that the instances of a fleet share; needed for `scope: 'shared'`. Default: none, every instance is alone. */
  readonly store?: ResilienceStore;
  /** How this instance takes part in the fleet. Needs a `store`. */
  readonly fleet?: FleetOptions;
  /** Where the library logs; `false`: nowhere. Default: Nest's logger, with the context `Resilience`. */
  readonly logger?: LoggerService | false;
  /** The events that are logged; `false`: none. Warnings about mistakes are always logged. */
  readonly logging?: LogOptions | false;
}

/**
 * Options of `ResilienceModule.forFeature()`: the contribution of a feature module, for the whole application. Entries that occur
 * twice have to be equal.
 */
export type ResilienceFeatureOptions = Pick<
  ResilienceModuleOptions,
  'configs' | 'pipelines' | 'overrides'
>;

/** A factory class for `forRootAsync({ useClass })`. */
export interface ResilienceOptionsFactory {
  /** Returns the options of the module. */
  createResilienceOptions(): ResilienceModuleOptions | Promise<ResilienceModuleOptions>;
}

/** Options that are objects of the application. */
const FOREIGN = ['clock', 'store', 'logger', 'random'];

/** The place of the root module's options in messages. */
export const ROOT = 'ResilienceModule.forRoot()';

/** Throws at once if the options are not an object, since everything else depends on them. */
export function requireModuleOptions(options: unknown): ResilienceModuleOptions {
  return requireOptions(ROOT, legibleThroughout(options, FOREIGN) as ResilienceModuleOptions);
}

/** Checks the options as far as possible without knowing the methods. */
export function checkModuleOptions(options: ResilienceModuleOptions, problems: Problems): void {
  const read = new OptionsReader(options, ROOT, problems);
  const defaults: unknown = read.raw('defaults');
  checkVariables(ROOT, '', options, problems);
  checkVariables(ROOT, 'defaults', defaults, problems);
  if (defaults !== undefined) checkPolicies(ROOT, 'defaults.', defaults, problems);
  checkGroups(read, problems);
  const clock: unknown = read.raw('clock');
  if (clock !== undefined && !isClock(clock)) {
    read.wrong('clock', clock, 'an object with now(), wall() and setTimer()');
  }
  read.synchronous('random');
  const logger: unknown = read.raw('logger');
  const isLogger = ['warn', 'log'].every((method) => typeof look(logger, method) === 'function');
  if (logger !== undefined && logger !== false && !isLogger) {
    read.wrong('logger', logger, 'a LoggerService or false');
  }
  checkFleet(read);
  const logging: unknown = read.raw('logging');
  if (logging === undefined || logging === false || isPlainObject(logging)) {
    readLogOptions(logging, ROOT, problems);
  } else read.wrong('logging', logging, 'an object with options, or false');
  read.text('$schema');
  read.done();
}

function checkFleet(read: OptionsReader<ResilienceModuleOptions>): void {
  const store: unknown = read.raw('store');
  if (store !== undefined && !isStore(store)) {
    read.wrong('store', store, 'a store, such as redisStore() of nest-resilience/redis');
  }
  const given = read.raw('fleet') !== undefined;
  readFleetOptions(read.nested<FleetOptions>('fleet'));
  if (given && store === undefined) {
    read.contradiction('fleet has no effect without a store; give one: { store }');
  }
}

/** The same for the options of a feature module. */
export function checkFeatureOptions(options: unknown, where: string, problems: Problems): void {
  if (!isPlainObject(options)) {
    return problems.add(where, notOptions(options));
  }
  const read = new OptionsReader<ResilienceFeatureOptions>(options, where, problems);
  checkVariables(where, '', options, problems);
  checkGroups(read, problems);
  read.done();
}

function checkGroups(read: OptionsReader<ResilienceFeatureOptions>, problems: Problems): void {
  const { where } = read;
  for (const group of ['configs', 'pipelines', 'overrides'] as const) {
    const sets: unknown = read.raw(group);
    if (sets === undefined) continue;
    if (group === 'overrides') {
      for (const each of checkOverrides(sets, where, problems))
        checkSets(group, each, where, problems);
    } else if (isPlainObject(sets)) {
      checkVariables(where, group, sets, problems);
      checkSets(group, sets, where, problems);
    } else read.wrong(group, sets, 'an object');
  }
}

/** Reports variables outside of overrides. @param place the name of an option; empty for the options themselves */
function checkVariables(where: string, place: string, given: unknown, problems: Problems): void {
  if (!isPlainObject(given) || environmentsIn(given).length === 0) return;
  const what = place === '' ? '' : ` in ${place}`;
  problems.add(
    where,
    `overridesFromEnv() has no effect${what}; use { overrides: overridesFromEnv(process.env) }`,
  );
}

function checkSets(
  group: keyof ResilienceFeatureOptions,
  sets: Readonly<Record<string, unknown>>,
  where: string,
  problems: Problems,
): void {
  for (const [name, set] of Object.entries(sets)) {
    const path = `${group}['${name}'].`;
    // As a target of overrides it is one that does not exist.
    if (name === '' && group !== 'overrides') {
      problems.add(where, `${group} has '' as a name; use a non-empty string`);
    }
    if (group === 'pipelines') checkPipeline(where, path, set, problems);
    else checkPolicies(where, path, group === 'configs' ? ownPolicies(set) : set, problems);
  }
}

/** Without the configuration that it extends, which is checked elsewhere. */
function ownPolicies(configuration: unknown): unknown {
  if (!isPlainObject(configuration)) return configuration;
  const { extends: _base, ...own } = configuration;
  return own;
}

/** Rules for a set of policies, depending on its place. */
interface SetRule {
  /** Whether options may name a configuration. */
  readonly configurable?: boolean;
}

/** @param path its path within `where`: `pipelines['name'].` */
export function checkPipeline(
  where: string,
  path: string,
  pipeline: unknown,
  problems: Problems,
): void {
  const { order, ...set } = isPlainObject(pipeline) ? pipeline : {};
  checkPolicies(where, path, isPlainObject(pipeline) ? set : pipeline, problems, {
    configurable: true,
  });
  if (order === undefined) return;
  const known: readonly unknown[] = stageOrder;
  const right =
    Array.isArray(order) &&
    order.every((stage) => known.includes(stage)) &&
    new Set(order).size === order.length;
  if (right) return;
  const names = known.map(show).join(', ');
  problems.add(where, `${path}order is ${show(order)}; use a list of ${names}, each at most once`);
}

/** @param path as of {@link checkPipeline} */
export function checkPolicies(
  where: string,
  path: string,
  set: unknown,
  problems: Problems,
  rule: SetRule = {},
): void {
  if (!isPlainObject(set)) {
    const what = path === '' ? 'the policies are' : `${path.slice(0, -1)} is`;
    problems.add(where, notOptions(set, { what, right: 'an object with options by policy' }));
    return;
  }
  for (const [kind, given] of Object.entries(set)) {
    const policy = policies.get(kind);
    if (policy === undefined) {
      const known = [...policies.keys()].join(', ');
      const what = path === '' ? '' : `${path.slice(0, -1)} `;
      problems.add(where, `${what}has "${kind}", which is not a policy; the policies are ${known}`);
    } else if (given === false) {
      problems.add(
        where,
        `${path}${kind} is false; use { enabled: false } to switch the policy off`,
      );
    } else if (given !== undefined) {
      const right = rightForm(policy.shape, 'an object with options');
      checkSet(where, `${path}${kind}`, policy.normalize(given), problems, { ...rule, right });
    }
  }
}

/** Checks the form only; the options are checked with each subject that they are for. */
function checkSet(
  where: string,
  path: string,
  options: unknown,
  problems: Problems,
  { configurable, right }: SetRule & { readonly right: string },
): void {
  if (!isOptions(options)) {
    problems.add(where, notOptions(options, { what: `${path} is`, right }));
  } else if (options.config !== undefined && !configurable) {
    problems.add(
      where,
      `${path}.config has no effect; only decorators, commands and pipelines can name a configuration`,
    );
  }
}

function isClock(value: unknown): value is Clock {
  return ['now', 'wall', 'setTimer'].every((method) => typeof look(value, method) === 'function');
}
