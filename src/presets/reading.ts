import { ResilienceConfigurationError } from '../common/errors.js';
import { requireOptions } from '../common/given.js';
import { OptionsReader, Problems } from '../common/options-reader.js';

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
  const settings = requireOptions(where, given, { what: 'the settings are' });
  const read = new OptionsReader(settings, where, problems);
  return {
    read,
    done: () => {
      read.done();
      if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
    },
  };
}
