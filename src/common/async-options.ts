import { ResilienceConfigurationError } from './errors.js';
import { OptionsReader, Problems } from './options-reader.js';
import { look } from './outcomes/look.js';
import { show } from './printable.js';

/** Options of a module that are made by a provider. */
interface AsyncOptions {
  readonly imports?: unknown;
  readonly inject?: unknown;
  readonly useFactory?: unknown;
  readonly useClass?: unknown;
  readonly useExisting?: unknown;
}

const SOURCES = ['useFactory', 'useClass', 'useExisting'] as const;

/** The differences between modules. */
interface AsyncRule {
  /** The names of further options, which are not checked. */
  readonly others?: readonly string[];
  /** The options of which one makes the options. */
  readonly sources?: readonly (typeof SOURCES)[number][];
}

/**
 * Checks the options of `forRootAsync()` and the like.
 * @throws {ResilienceConfigurationError} with all problems
 */
export function checkAsyncOptions(
  options: object,
  where: string,
  { others = [], sources = SOURCES }: AsyncRule = {},
): void {
  const problems = new Problems();
  const read = new OptionsReader<AsyncOptions>(options, where, problems);
  const given = sources.filter((source) => read.raw(source) !== undefined);
  if (problems.all.length === 0 && given.length === 0) {
    read.contradiction(`needs ${sources.join(', ').replace(/, (?=\w+$)/, ' or ')}`);
  }
  if (given.length > 1) read.contradiction(`has ${given.join(' and ')}; use one of them`);
  for (const source of ['useFactory', 'useClass'] as const) {
    if (sources.includes(source)) read.function(source);
  }
  for (const option of ['imports', 'inject'] as const) {
    const list = read.raw(option);
    if (list !== undefined && !Array.isArray(list)) read.wrong(option, list, 'a list');
  }
  for (const option of others) read.raw(option as keyof AsyncOptions);
  read.done();
  if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
}

/** Calls the method of a factory of options. @throws {ResilienceConfigurationError} when it has none */
export function madeBy(factory: unknown, method: string, where: string): unknown {
  const make = look(factory, method);
  if (typeof make === 'function') return Reflect.apply(make, factory, []) as unknown;
  throw new ResilienceConfigurationError([
    `${where}: ${show(factory)} has no ${method}(), which makes the options`,
  ]);
}
