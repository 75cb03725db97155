import { types } from 'node:util';
import { type Duration, parseDuration } from './duration.js';
import { legible } from './legible.js';
import { keysOf } from './outcomes/look.js';
import { isOptions, isPlainObject } from './objects.js';
import { notOptions, show } from './printable.js';

/** Collects the problems of the configuration, so that all of them can be reported at once. */
export class Problems {
  readonly all: string[] = [];

  /** @param where the place of the problem, such as `Class.method @Decorator` */
  add(where: string, problem: string): void {
    const line = `${where}: ${problem}`;
    if (!this.all.includes(line)) this.all.push(line);
  }

  /** Adds a problem that concerns more than one option. */
  contradict(where: string, problem: string): void {
    this.add(where, problem);
  }
}

/** The numbers that an option allows; by default those from 0. */
export interface NumberRule {
  readonly min?: number;
  readonly max?: number;
  /** Exclusive lower bound. */
  readonly above?: number;
}

/**
 * Reads one options object field by field. A wrong value is reported with its option, the value and the right form, and
 * reads as `undefined`, so that reading continues and all problems are found. {@link OptionsReader.done} reports the
 * fields that were never read: misspelt options.
 */
export class OptionsReader<T extends object> {
  private readonly known = new Set<string>();

  private readonly options: T;

  constructor(
    options: T,
    readonly where: string,
    private readonly problems: Problems,
    private readonly prefix = '',
    /** Where the value of a top-level option comes from, if not from `where`. */
    private readonly originOf: (key: string) => string | undefined = () => undefined,
  ) {
    const given: unknown = legible(options);
    if (!isOptions(given)) {
      const what = prefix === '' ? undefined : `${prefix.slice(0, -1)} is`;
      problems.add(where, notOptions(given, { what }));
    }
    this.options = (isOptions(given) ? given : {}) as T;
  }

  /** The value, unchecked. */
  raw<K extends keyof T & string>(key: K): T[K] {
    this.known.add(key);
    return this.options[key];
  }

  /** Milliseconds of a duration. `infinite` allows `Infinity`. */
  duration(
    key: keyof T & string,
    { infinite = false, ...rule }: NumberRule & { infinite?: boolean } = {},
  ): number | undefined {
    return this.parse(key, (value) => this.toDuration(key, value as Duration, infinite, rule));
  }

  integer(key: keyof T & string, rule: NumberRule = {}): number | undefined {
    return this.parse(key, (value) => {
      if (typeof value === 'number' && Number.isInteger(value) && within(value, rule)) return value;
      return this.wrong(key, value, `a whole number${range(rule)}`);
    });
  }

  number(key: keyof T & string, rule: NumberRule = {}): number | undefined {
    return this.parse(key, (value) => {
      if (typeof value === 'number' && Number.isFinite(value) && within(value, rule)) return value;
      return this.wrong(key, value, `a number${range(rule)}`);
    });
  }

  boolean(key: keyof T & string): boolean | undefined {
    return this.parse(key, (value) =>
      typeof value === 'boolean' ? value : this.wrong(key, value, 'true or false'),
    );
  }

  /** A non-empty string. */
  text(key: keyof T & string): string | undefined {
    return this.parse(key, (value) =>
      typeof value === 'string' && value !== ''
        ? value
        : this.wrong(key, value, 'a non-empty string'),
    );
  }

  /** A string, which may be empty: for people. */
  note(key: keyof T & string): string | undefined {
    return this.parse(key, (value) =>
      typeof value === 'string' ? value : this.wrong(key, value, 'a string'),
    );
  }

  /** A date in the future. @param now milliseconds since the epoch */
  futureDate(key: keyof T & string, now: number): Date | undefined {
    return this.parse(key, (value) =>
      types.isDate(value) && value.getTime() > now
        ? value
        : this.wrong(key, value, 'a Date in the future'),
    );
  }

  /** A non-empty string that UTF-8 can express, so that two of them stay different in a store. */
  unicodeText(key: keyof T & string): string | undefined {
    return this.parse(key, (value) =>
      typeof value === 'string' && value !== '' && !/\p{Surrogate}/u.test(value)
        ? value
        : this.wrong(key, value, 'a non-empty string without half a surrogate pair'),
    );
  }

  function<K extends keyof T & string>(
    key: K,
  ): Extract<T[K], (...args: never) => unknown> | undefined {
    return this.parse(key, (value) =>
      typeof value === 'function'
        ? (value as Extract<T[K], (...args: never) => unknown>)
        : this.wrong(key, value, 'a function'),
    );
  }

  /** A function that answers at once: a promise would be no answer. */
  synchronous<K extends keyof T & string>(
    key: K,
  ): Extract<T[K], (...args: never) => unknown> | undefined {
    return this.prompt(key, this.function(key));
  }

  /**
   * The function `given` by the value of `key`, unless it is async: that is reported, since a promise would be no answer.
   *
   * @param what how messages call an async one
   */
  prompt<F>(key: keyof T & string, given: F, what = 'an async function'): F | undefined {
    if (!types.isAsyncFunction(given)) return given;
    this.report(key, `is ${what}; use one that is not: its answer is needed at once`);
    return undefined;
  }

  /** A list of functions: error classes or predicates, which answer at once. */
  functions<K extends keyof T & string>(key: K): NonNullable<T[K]> | undefined {
    return this.parse(key, (value) => {
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'function')) {
        return this.wrong(key, value, 'a list of error classes or functions');
      }
      if (!value.some((item) => types.isAsyncFunction(item))) return value as NonNullable<T[K]>;
      return this.wrong(
        key,
        value,
        'functions that are not async: their answers are needed at once',
      );
    });
  }

  /** A reader for a nested object; an absent object reads as empty. */
  nested<U extends object>(key: keyof T & string): OptionsReader<U> {
    const value = this.parse(key, (given) =>
      isPlainObject(given) ? given : this.wrong(key, given, 'an object'),
    );
    return this.inside(key, (value ?? {}) as U);
  }

  /** A reader for `options`, which were given as the value of `key`. */
  inside<U extends object>(key: string, options: U): OptionsReader<U> {
    const prefix = `${this.prefix}${key}.`;
    return new OptionsReader(options, this.where, this.problems, prefix, this.originOf);
  }

  /** Reports a wrong value of `key`. @param right the right form, as the object of "use" */
  wrong(key: string, value: unknown, right: string): undefined {
    this.report(key, `is ${show(value)}; use ${right}`);
    return undefined;
  }

  private report(key: string, problem: string): void {
    const path = this.prefix + key;
    const origin = this.originOf(path.split(/[.[]/, 1)[0]!);
    const from = origin === undefined ? '' : ` (from ${origin})`;
    this.problems.add(this.where, `${path}${from} ${problem}`);
  }

  /** Reports what an object given as the value of `key` has beside these members: they would have no effect. */
  only(key: string, given: object, members: readonly string[]): void {
    const others = keysOf(given).filter((name) => !members.includes(name));
    if (others.length === 0) return;
    this.report(
      key,
      `has ${others.map(show).join(', ')} beside ${members.join(' and ')}; use these alone`,
    );
  }

  /** Reports a problem of one option that {@link wrong} has no words for. */
  mistake(problem: string): void {
    this.problems.add(this.where, problem);
  }

  /** Reports a problem that concerns more than one option. */
  contradiction(problem: string): void {
    this.problems.contradict(this.where, problem);
  }

  /**
   * To be called when all known options have been read: reports the others as unknown.
   *
   * @param othersOf options that have been read elsewhere, which the message names too, by the origin of the unknown one
   */
  done(othersOf: (origin: string | undefined) => readonly string[] = () => []): void {
    for (const key of Object.keys(this.options)) {
      if (this.known.has(key)) continue;
      const all = new Set([...this.known, ...othersOf(this.originOf(key))]);
      const names = [...all].map((name) => this.prefix + name).join(', ');
      this.report(key, `is not an option; the options are ${names}`);
    }
  }

  private parse<V>(key: keyof T & string, parse: (value: unknown) => V | undefined): V | undefined {
    const value: unknown = this.raw(key);
    return value === undefined ? undefined : parse(value);
  }

  private toDuration(
    key: string,
    value: Duration,
    infinite: boolean,
    rule: NumberRule,
  ): number | undefined {
    const ms = parseDuration(value);
    if (ms !== undefined && (infinite || Number.isFinite(ms)) && within(ms, rule)) return ms;
    const forms = `milliseconds or a duration such as '500ms', '2s', '1.5m', '1h'`;
    return this.wrong(key, value, `${forms}${range(rule)}${infinite ? ', or Infinity' : ''}`);
  }
}

function within(
  value: number,
  { min = 0, max = Infinity, above = -Infinity }: NumberRule,
): boolean {
  return value >= min && value <= max && value > above;
}

function range({ min = 0, max, above }: NumberRule): string {
  const low = above === undefined ? ` of at least ${min}` : ` above ${above}`;
  return max === undefined ? low : `${low} and at most ${max}`;
}
