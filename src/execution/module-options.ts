import type { LoggerService } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import { OptionsReader, type Problems, isPlainObject } from '../common/options-reader.js';
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
        checkKinds(`${group}['${name}']`, set, problems);
  }
  const clock: unknown = read.raw('clock');
  if (clock !== undefined && !isClock(clock)) {
    read.wrong('clock', clock, 'an object with now(), wall() and setTimer()');
  }
  read.function('random');
  const logger: Partial<LoggerService> | false | null | undefined = read.raw('logger');
  if (logger !== undefined && logger !== false && !logger?.warn) {
    read.wrong('logger', logger, 'a LoggerService or false');
  }
  read.done();
}

function checkKinds(path: string, set: unknown, problems: Problems): void {
  if (!isPlainObject(set)) {
    problems.add(ROOT, `${path} must be an object with options by policy`);
    return;
  }
  for (const kind of Object.keys(set)) {
    if (policies.has(kind)) continue;
    const known = [...policies.keys()].join(', ');
    problems.add(ROOT, `${path} has "${kind}", which is no policy; the policies are ${known}`);
  }
}

function isClock(value: unknown): value is Clock {
  const { now, wall, setTimer } = (value ?? {}) as Partial<Clock>;
  return [now, wall, setTimer].every((method) => typeof method === 'function');
}
