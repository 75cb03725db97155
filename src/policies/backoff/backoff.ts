import type { Duration } from '../../common/duration.js';
import { isOptions, isPlainObject } from '../../common/objects.js';
import { legible } from '../../common/legible.js';
import { OptionsReader, Problems } from '../../common/options-reader.js';

/**
 * Random spread of a delay, so that clients that failed together do not retry together: a number `f` from 0 to 1 draws from
 * `delay · [1 − f, 1 + f]`, `'full'` from `[0, delay]`, `'equal'` from `[delay / 2, delay]`; `'none'` is the delay itself.
 * Applied after the cap, so that delays at the cap are spread too.
 */
export type Jitter = number | 'full' | 'equal' | 'none';

/** Options of {@link exponential}. */
export interface ExponentialOptions {
  /** The first delay. Default 500 ms. */
  readonly initialDelay?: Duration;
  /** The factor from each delay to the next; at least 1. Default 1.5. */
  readonly multiplier?: number;
  /** The longest delay, before jitter. Default 60 s. */
  readonly maxDelay?: Duration;
  /** Random spread. Default 0.5. */
  readonly jitter?: Jitter;
}

/** Options of {@link constant}. */
export interface ConstantOptions {
  /** Random spread. Default `'none'`. */
  readonly jitter?: Jitter;
}

/** Options of {@link linear}. */
export interface LinearOptions {
  /** The first delay. Default 500 ms. */
  readonly initialDelay?: Duration;
  /** The step from each delay to the next. Default: `initialDelay`. */
  readonly increment?: Duration;
  /** The longest delay, before jitter. Default 60 s. */
  readonly maxDelay?: Duration;
  /** Random spread. Default 0.5. */
  readonly jitter?: Jitter;
}

/** Options of {@link fibonacci}. */
export interface FibonacciOptions {
  /** The first and the second delay. Default 500 ms. */
  readonly initialDelay?: Duration;
  /** The longest delay, before jitter. Default 60 s. */
  readonly maxDelay?: Duration;
  /** Random spread. Default 0.5. */
  readonly jitter?: Jitter;
}

/** Options of {@link decorrelated}. */
export interface DecorrelatedOptions {
  /** The shortest delay. Default 500 ms. */
  readonly initialDelay?: Duration;
  /** The longest delay. Default 60 s. */
  readonly maxDelay?: Duration;
}

/** The delay before the next attempt, as made by one of the builders; checked at bootstrap. */
export type BackoffSpec =
  | { readonly kind: 'exponential'; readonly options: ExponentialOptions }
  | { readonly kind: 'constant'; readonly options: ConstantOptions & { readonly delay: Duration } }
  | { readonly kind: 'linear'; readonly options: LinearOptions }
  | { readonly kind: 'fibonacci'; readonly options: FibonacciOptions }
  | { readonly kind: 'decorrelated'; readonly options: DecorrelatedOptions };

/**
 * Returns how many milliseconds to wait after `attempt` (the first is 1) has failed with `error`. A negative or non-finite
 * number ends the retries.
 */
export type BackoffFunction = (attempt: number, error: unknown) => number;

/** The delay before the next attempt: made by one of the builders, or a function of your own. */
export type Backoff = BackoffSpec | BackoffFunction;

/**
 * Delays that grow by a factor. The defaults are those of cenkalti/backoff: 500 ms, × 1.5, ± 50 %, at most 60 s.
 *
 * @example exponential({ initialDelay: '200ms', multiplier: 2, maxDelay: '5s', jitter: 'full' })
 */
export function exponential(options: ExponentialOptions = {}): BackoffSpec {
  return { kind: 'exponential', options };
}

/** The same delay each time. */
export function constant(delay: Duration, options: ConstantOptions = {}): BackoffSpec {
  const read = legible(options);
  return { kind: 'constant', options: isOptions(read) ? { ...read, delay } : (read as never) };
}

/** Delays that grow by the same step. */
export function linear(options: LinearOptions = {}): BackoffSpec {
  return { kind: 'linear', options };
}

/** Delays that grow like the Fibonacci numbers: 1, 1, 2, 3, 5, … times `initialDelay`. */
export function fibonacci(options: FibonacciOptions = {}): BackoffSpec {
  return { kind: 'fibonacci', options };
}

/**
 * Delays that are each drawn between `initialDelay` and three times the previous delay ("decorrelated jitter", AWS
 * Architecture Blog, 2015). Above `maxDelay`, the delay is drawn from `[maxDelay / 2, maxDelay]` instead of being cut off,
 * which would give many clients the same delay.
 */
export function decorrelated(options: DecorrelatedOptions = {}): BackoffSpec {
  return { kind: 'decorrelated', options };
}

/** The inputs of a delay. */
export interface DelayContext {
  /** The attempt that failed, or how often in a row the circuit has opened; the first is 1. */
  readonly attempt: number;
  readonly error: unknown;
  /** The previous delay, milliseconds; `undefined` for the first. */
  readonly previous: number | undefined;
  readonly random: () => number;
}

/** Returns milliseconds to wait; negative or not finite: no further attempt. */
export type DelayRule = (context: DelayContext) => number;

/** Reads and checks the option `key`, and compiles it to a rule; `undefined` when it is absent or wrong. */
export function readBackoff<T extends object>(
  read: OptionsReader<T>,
  key: keyof T & string,
): DelayRule | undefined {
  const given: unknown = read.raw(key);
  if (given === undefined) return undefined;
  if (typeof given === 'function') {
    const custom = read.prompt(key, given as BackoffFunction);
    return custom && (({ attempt, error }) => custom(attempt, error));
  }
  if (!isSpec(given)) {
    return read.wrong(
      key,
      given,
      'exponential(), constant(), … or a function (attempt, error) => ms',
    );
  }
  read.only(key, given, ['kind', 'options']);
  return compile(given, read.inside(key, given.options));
}

export function isSpec(value: unknown): value is BackoffSpec {
  const { kind, options } = (value ?? {}) as Partial<BackoffSpec>;
  return typeof kind === 'string' && Object.hasOwn(rules, kind) && isPlainObject(options);
}

type Reader<K extends BackoffSpec['kind']> = OptionsReader<
  Extract<BackoffSpec, { kind: K }>['options']
>;

/** The rules by kind; `i` counts delays from 0. */
const rules: { [K in BackoffSpec['kind']]: (read: Reader<K>) => DelayRule } = {
  exponential(read) {
    const { initialDelay, maxDelay } = readBounds(read);
    const multiplier = read.number('multiplier', { min: 1 }) ?? 1.5;
    return spread(read, 0.5, (i) => Math.min(maxDelay, initialDelay * multiplier ** i));
  },
  constant(read) {
    const delay = read.duration('delay') ?? 0;
    if (read.raw('delay') === undefined) read.wrong('delay', undefined, `a duration such as '1s'`);
    return spread(read, 'none', () => delay);
  },
  linear(read) {
    const { initialDelay, maxDelay } = readBounds(read);
    const increment = read.duration('increment') ?? initialDelay;
    return spread(read, 0.5, (i) => Math.min(maxDelay, initialDelay + increment * i));
  },
  fibonacci(read) {
    const { initialDelay, maxDelay } = readBounds(read);
    return spread(read, 0.5, (i) => Math.min(maxDelay, initialDelay * fibonacciNumber(i)));
  },
  decorrelated(read) {
    const { initialDelay, maxDelay } = readBounds(read);
    return ({ previous, random }) => {
      const upper = Math.max(initialDelay, 3 * (previous ?? initialDelay));
      const delay = initialDelay + random() * (upper - initialDelay);
      return delay <= maxDelay ? delay : (maxDelay / 2) * (1 + random());
    };
  },
};

function compile(spec: BackoffSpec, read: OptionsReader<object>): DelayRule {
  const rule = (rules[spec.kind] as (read: OptionsReader<object>) => DelayRule)(read);
  read.done();
  return rule;
}

/** The rule of `exponential()`. */
export const defaultBackoff: DelayRule = compile(
  exponential(),
  new OptionsReader({}, '', new Problems()),
);

function readBounds(read: OptionsReader<{ initialDelay?: Duration; maxDelay?: Duration }>): {
  initialDelay: number;
  maxDelay: number;
} {
  const initialDelay = read.duration('initialDelay', { above: 0 }) ?? 500;
  const maxDelay = read.duration('maxDelay', { above: 0 }) ?? 60_000;
  if (maxDelay < initialDelay) {
    read.contradiction(
      `maxDelay (${maxDelay} ms) is shorter than initialDelay (${initialDelay} ms)`,
    );
  }
  return { initialDelay, maxDelay };
}

function spread(
  read: OptionsReader<{ jitter?: Jitter }>,
  otherwise: Jitter,
  delayOf: (i: number) => number,
): DelayRule {
  const jitter = readJitter(read) ?? otherwise;
  if (jitter === 'none') return ({ attempt }) => delayOf(attempt - 1);
  return ({ attempt, random }) => {
    const delay = delayOf(attempt - 1);
    if (jitter === 'full') return delay * random();
    if (jitter === 'equal') return (delay / 2) * (1 + random());
    return delay * (1 - jitter + 2 * jitter * random());
  };
}

function readJitter(read: OptionsReader<{ jitter?: Jitter }>): Jitter | undefined {
  const jitter: unknown = read.raw('jitter');
  if (jitter === undefined || jitter === 'full' || jitter === 'equal' || jitter === 'none')
    return jitter;
  if (typeof jitter === 'number' && jitter >= 0 && jitter <= 1) return jitter;
  return read.wrong('jitter', jitter, `a number from 0 to 1, 'full', 'equal' or 'none'`);
}

/** 1, 1, 2, 3, 5, … by Binet's formula, which is exact up to the 70th number, far beyond any cap. */
function fibonacciNumber(i: number): number {
  const root = Math.sqrt(5);
  return Math.round(((1 + root) / 2) ** (i + 1) / root);
}
