import type { Duration } from '../common/duration.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { type Guard, readGuards } from '../common/guards.js';
import { OptionsReader, Problems } from '../common/options-reader.js';

/** Options of `HystrixStreamModule.forRoot()`, which throws a `ResilienceConfigurationError` when one is wrong. */
export interface HystrixStreamOptions {
  /** The route of the stream. Default: `hystrix.stream`. */
  readonly path?: string;
  /** Time between two passes; above 0, at most 5 s. Default: 500 ms. */
  readonly interval?: Duration;
  /** How many clients may read at a time; further ones get 503. Default: 5. */
  readonly maxConnections?: number;
  /**
   * Whether breakers by `key` are included, one event each. Keys are often tenants, hosts or users, so mind who can read
   * the stream. Default: false.
   */
  readonly keys?: boolean;
  /** Guards of the route. Default: none, so without global guards everyone can read the stream. */
  readonly guards?: readonly Guard[];
}

export interface HystrixStreamSettings {
  readonly path: string;
  /** Milliseconds. */
  readonly interval: number;
  readonly maxConnections: number;
  readonly keys: boolean;
  readonly guards: readonly Guard[];
}

/** The dashboard's proxy gives up after 10 s of silence. */
const LONGEST_INTERVAL = 5_000;

/** @throws {ResilienceConfigurationError} */
export function readHystrixStreamOptions(options: HystrixStreamOptions): HystrixStreamSettings {
  const problems = new Problems();
  const read = new OptionsReader(options, 'HystrixStreamModule.forRoot()', problems);
  const settings = {
    path: read.text('path') ?? 'hystrix.stream',
    interval: read.duration('interval', { above: 0, max: LONGEST_INTERVAL }) ?? 500,
    maxConnections: read.integer('maxConnections', { min: 1 }) ?? 5,
    keys: read.boolean('keys') ?? false,
    guards: readGuards(read) ?? [],
  };
  read.done();
  if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
  return settings;
}
