import { OptionsReader, Problems } from '../../src/common/options-reader.js';

/** How a policy reads its options. */
export type Read<Options extends object, Settings> = (read: OptionsReader<Options>) => Settings;

/** The settings, and what is wrong with the options: as at bootstrap, where each line begins with its place. */
export function readOptions<Options extends object, Settings>(
  read: Read<Options, Settings>,
  options: Options,
): [settings: Settings, problems: readonly string[]] {
  const problems = new Problems();
  const reader = new OptionsReader(options, 'here', problems);
  const settings = read(reader);
  reader.done();
  return [settings, problems.all.map((problem) => problem.replace('here: ', ''))];
}

export function problemsOf<Options extends object>(
  read: Read<Options, unknown>,
  options: Options,
): readonly string[] {
  return readOptions(read, options)[1];
}

/** The settings of options that are right. */
export function settingsOf<Options extends object, Settings>(
  read: Read<Options, Settings>,
  options: Options,
): Settings {
  const [settings, problems] = readOptions(read, options);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return settings;
}
