import { isPlainObject } from '../../common/objects.js';
import { OptionsReader, type Problems } from '../../common/options-reader.js';

/** The options of the event log. */
export interface LogOptions {
  /**
   * The maximum of lines per second about circuits that open or recover, overrides, configuration changes and store
   * failures; and as many at debug level about probes. Further ones are counted in one line per second. Default 20.
   */
  readonly maxEventsPerSecond?: number;
  /**
   * The maximum of lines per second about rejected calls; further ones are counted in the same line. 0: none. Default
   * 1.
   */
  readonly maxRejectionsPerSecond?: number;
  /** Whether lines are objects with fields. Default: where Nest's `ConsoleLogger` writes JSON. */
  readonly fields?: boolean;
}

/** The options with their defaults. */
export interface LogSettings {
  readonly maxEventsPerSecond: number;
  readonly maxRejectionsPerSecond: number;
  /** `undefined`: depends on the logger. */
  readonly fields: boolean | undefined;
}

/** @returns `undefined` when events are not logged */
export function readLogOptions(
  given: unknown,
  where: string,
  problems: Problems,
): LogSettings | undefined {
  if (given === false) return undefined;
  const options = isPlainObject(given) ? (given as LogOptions) : {};
  const read = new OptionsReader<LogOptions>(options, where, problems, 'logging.');
  const settings = {
    maxEventsPerSecond: read.integer('maxEventsPerSecond', { min: 1 }) ?? 20,
    maxRejectionsPerSecond: read.integer('maxRejectionsPerSecond') ?? 1,
    fields: read.boolean('fields'),
  };
  read.done();
  return settings;
}
