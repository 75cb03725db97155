import type { LoggerService } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { OptionsReader, type Problems, isPlainObject, show } from '../common/options-reader.js';
import { type PolicyOptions, policies } from '../policies/canonical-order.js';

/** Options by policy; every policy has its own. */
export type PolicyDefaults = { readonly [K in keyof PolicyOptions]?: PolicyOptions[K] };

/** As {@link PolicyDefaults}; `false` takes the policy off. */
export type PolicyOverrides = { readonly [K in keyof PolicyOptions]?: PolicyOptions[K] | false };

/** Options of `ResilienceModule.forRoot()`. Where options of a policy are given more than once, later wins: */
export interface ResilienceModuleOptions {
  /** 1. Instead of the library's defaults, for every method that has the policy. */
  readonly defaults?: PolicyDefaults;
  /**
   * 2. Named sets of options, taken with `@Retry({ config: 'name' })`. A breaker takes the one that is called as
   * the breaker is, without being told. 3. is what the decorator says.
   */
  readonly configs?: Readonly<Record<string, PolicyDefaults>>;
  /**
   * 4. Over what decorators say, by `'*'`, `'Class'` or `'Class.method'` (the more special wins): for values
   * from the environment. Only changes policies that a method has; `false` takes a policy off.
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
  createResilienceOptions(): ResilienceModuleOptions | Promise<ResilienceModuleOptions>;
}

const ROOT = 'ResilienceModule.forRoot()';

/** What a factory of `forRootAsync()` has returned: nothing else can be done without. */
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
  if (defaults !== undefined) checkKinds('defaults', defaults, problems);
  for (const group of ['configs', 'overrides'] as const) {
    const sets: unknown = read.raw(group);
    if (sets === undefined) continue;
    if (!isPlainObject(sets)) read.wrong(group, sets, 'an object');
    else
      for (const [name, set] of Object.entries(sets))
        checkKinds(`${group}['${name}']`, set, problems, group === 'overrides');
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

/** @param removable whether `false` may stand for a policy */
function checkKinds(path: string, set: unknown, problems: Problems, removable = false): void {
  if (!isPlainObject(set)) {
    problems.add(ROOT, `${path} must be an object with options by policy`);
    return;
  }
  for (const [kind, given] of Object.entries(set)) {
    const policy = policies.get(kind);
    if (policy === undefined) {
      const known = [...policies.keys()].join(', ');
      problems.add(ROOT, `${path} has "${kind}", which is no policy; the policies are ${known}`);
    } else if (given !== undefined && !(removable && given === false)) {
      checkSet(`${path}.${kind}`, policy.normalize(given), problems);
    }
  }
}

/** The options themselves are checked with each method that they are for. */
function checkSet(path: string, options: unknown, problems: Problems): void {
  if (typeof options !== 'object' || options === null) {
    problems.add(ROOT, `${path} is ${show(options)}; use an object with options`);
  } else if ('config' in options) {
    problems.add(ROOT, `${path}.config has no effect; only a decorator can name a configuration`);
  }
}

function isClock(value: unknown): value is Clock {
  const { now, wall, setTimer } = (value ?? {}) as Partial<Clock>;
  return [now, wall, setTimer].every((method) => typeof method === 'function');
}
