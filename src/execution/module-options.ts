import type { LoggerService } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { OptionsReader, type Problems, isPlainObject } from '../common/options-reader.js';
import { show } from '../common/printable.js';
import {
  type PolicyOptions,
  type StageName,
  policies,
  stageOrder,
} from '../policies/canonical-order.js';

/** Options by policy; every policy has its own. */
export type PolicyDefaults = { readonly [K in keyof PolicyOptions]?: PolicyOptions[K] };

/** As {@link PolicyDefaults}; `false` takes the policy off. */
export type PolicyOverrides = { readonly [K in keyof PolicyOptions]?: PolicyOptions[K] | false };

/** Policies that belong together: whoever uses the pipeline has them all, and shares its breaker and its bulkhead. */
export interface PipelineOptions extends PolicyDefaults {
  /** The stages, outermost first. Default: the canonical order. */
  readonly order?: readonly StageName[];
}

/** Options of `ResilienceModule.forRoot()`. Where options of a policy are given more than once, later wins: */
export interface ResilienceModuleOptions {
  /** 1. Instead of the library's defaults, for every method that has the policy. */
  readonly defaults?: PolicyDefaults;
  /**
   * 2. Named sets of options, taken with `@Retry({ config: 'name' })`. A breaker takes the one that is called as
   * the breaker is, without being told.
   */
  readonly configs?: Readonly<Record<string, PolicyDefaults>>;
  /**
   * 3. Pipelines, used with `@UsePipeline('name')`, by commands and in code. 4. is what the decorator or the
   * command says itself.
   */
  readonly pipelines?: Readonly<Record<string, PipelineOptions>>;
  /**
   * 5. Over what decorators say, by `'*'`, `'Class'`, `'Class.method'` or the name of a command or pipeline (the
   * more special wins): for values from the environment. Only changes policies that are there; `false` takes a
   * policy off.
   */
  readonly overrides?: Readonly<Record<string, PolicyOverrides>>;
  /** Where times and timers come from. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Random numbers from 0 to below 1, for jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Where the library writes; `false`: nowhere. Default: Nest's logger. */
  readonly logger?: LoggerService | false;
}

/** A factory class for `forRootAsync({ useClass })`. */
export interface ResilienceOptionsFactory {
  /** The options of the module. */
  createResilienceOptions(): ResilienceModuleOptions | Promise<ResilienceModuleOptions>;
}

const ROOT = 'ResilienceModule.forRoot()';

/** The result of a `forRootAsync()` factory; everything else depends on it. */
export function requireOptions(options: unknown): ResilienceModuleOptions {
  if (typeof options === 'object' && options !== null) return options;
  throw new ResilienceConfigurationError([
    `${ROOT}: the options are ${show(options)}; use an object`,
  ]);
}

/** Checks everything of the options that can be checked without knowing the methods. */
export function checkModuleOptions(options: ResilienceModuleOptions, problems: Problems): void {
  const read = new OptionsReader(options, ROOT, problems);
  const defaults: unknown = read.raw('defaults');
  if (defaults !== undefined) checkPolicies(ROOT, 'defaults.', defaults, problems);
  for (const group of ['configs', 'pipelines', 'overrides'] as const) {
    const sets: unknown = read.raw(group);
    if (sets === undefined) continue;
    if (!isPlainObject(sets)) {
      read.wrong(group, sets, 'an object');
      continue;
    }
    for (const [name, set] of Object.entries(sets)) {
      const path = `${group}['${name}'].`;
      if (group === 'pipelines') checkPipeline(ROOT, path, set, problems);
      else checkPolicies(ROOT, path, set, problems, { removable: group === 'overrides' });
    }
  }
  const clock: unknown = read.raw('clock');
  if (clock !== undefined && !isClock(clock)) {
    read.wrong('clock', clock, 'an object with now(), wall() and setTimer()');
  }
  read.function('random');
  const logger: Partial<LoggerService> | false | null | undefined = read.raw('logger');
  if (logger !== undefined && logger !== false && !(logger?.warn && logger.log)) {
    read.wrong('logger', logger, 'a LoggerService or false');
  }
  read.done();
}

/** Policies as they may be given in one place. */
interface SetRule {
  /** Whether `false` may stand for a policy. */
  readonly removable?: boolean;
  /** Whether they may name a configuration. */
  readonly configurable?: boolean;
}

/** @param path where it stands in `where`: `pipelines['name'].` */
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
    const problem =
      path === '' ? `the policies are ${show(set)}; use` : `${path.slice(0, -1)} must be`;
    problems.add(where, `${problem} an object with options by policy`);
    return;
  }
  for (const [kind, given] of Object.entries(set)) {
    const policy = policies.get(kind);
    if (policy === undefined) {
      const known = [...policies.keys()].join(', ');
      const what = path === '' ? '' : `${path.slice(0, -1)} `;
      problems.add(where, `${what}has "${kind}", which is no policy; the policies are ${known}`);
    } else if (given !== undefined && !(rule.removable && given === false)) {
      checkSet(where, `${path}${kind}`, policy.normalize(given), problems, rule);
    }
  }
}

/** The options themselves are checked with each method that they are for. */
function checkSet(
  where: string,
  path: string,
  options: unknown,
  problems: Problems,
  { configurable }: SetRule,
): void {
  if (typeof options !== 'object' || options === null) {
    problems.add(where, `${path} is ${show(options)}; use an object with options`);
  } else if ('config' in options && !configurable) {
    problems.add(
      where,
      `${path}.config has no effect; only decorators, commands and pipelines can name a configuration`,
    );
  }
}

function isClock(value: unknown): value is Clock {
  const { now, wall, setTimer } = (value ?? {}) as Partial<Clock>;
  return [now, wall, setTimer].every((method) => typeof method === 'function');
}
