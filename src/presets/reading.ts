import { ResilienceConfigurationError } from '../common/errors.js';
import { isPlainObject } from '../common/objects.js';
import { legible } from '../common/legible.js';
import { OptionsReader, Problems } from '../common/options-reader.js';
import { show } from '../common/printable.js';

/** Reads the settings of a preset at once, so that problems use the preset's names: bootstrap only knows our own. */
export function readingOf<S extends object>(
  where: string,
  given: S,
): {
  readonly read: OptionsReader<S>;
  /** To be called when all have been read. @throws {ResilienceConfigurationError} with all problems */
  readonly done: () => void;
} {
  const problems = new Problems();
  const settings = legible(given);
  if (!isPlainObject(settings)) {
    throw new ResilienceConfigurationError([
      `${where}: the settings are ${show(settings)}; use an object`,
    ]);
  }
  const read = new OptionsReader(settings, where, problems);
  return {
    read,
    done: () => {
      read.done();
      if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
    },
  };
}
