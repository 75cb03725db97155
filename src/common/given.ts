import { ResilienceConfigurationError } from './errors.js';
import { legible } from './legible.js';
import { isOptions } from './objects.js';
import { OptionsReader, Problems } from './options-reader.js';
import { type NotOptions, notOptions, show } from './printable.js';

/** Options that can be read. @throws {ResilienceConfigurationError} when they are not an object */
export function requireOptions<T>(where: string, given: T, words?: NotOptions): T & object {
  const read = legible(given);
  if (isOptions(read)) return read;
  throw new ResilienceConfigurationError([`${where}: ${notOptions(read, words)}`]);
}

/**
 * Reads the options of a function that the application calls while it runs.
 *
 * @param right the right form, such as `{ by, reason, until }`
 * @throws {TypeError} with all problems
 */
export function readArgument<T extends object, Settings>(
  where: string,
  given: T,
  right: string,
  read: (read: OptionsReader<T>) => Settings,
): Settings {
  const options = legible(given);
  if (!isOptions(options)) throw new TypeError(`${where}: ${notOptions(options, { right })}`);
  const problems = new Problems();
  const reader = new OptionsReader<T>(options, where, problems);
  const settings = read(reader);
  reader.done();
  if (problems.all.length > 0) throw new TypeError(problems.all.join('; '));
  return settings;
}

/** @param what what the argument is, such as `the listener` @throws {TypeError} when it is not a function */
export function requireFunction(where: string, what: string, given: unknown): void {
  if (typeof given === 'function') return;
  throw new TypeError(`${where}: ${what} is ${show(given)}; use a function`);
}
