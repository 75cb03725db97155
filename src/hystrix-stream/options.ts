import type { CanActivate, Type } from '@nestjs/common';
import type { Duration } from '../common/duration.js';
import { ResilienceConfigurationError } from '../common/errors.js';
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
  /** Guards of the route. Default: none, so without global guards everybody can read the stream. */
  readonly guards?: readonly (CanActivate | Type<CanActivate>)[];
}

export interface HystrixStreamSettings {
  readonly path: string;
  /** Milliseconds. */
  readonly interval: number;
  readonly maxConnections: number;
  readonly keys: boolean;
  readonly guards: readonly (CanActivate | Type<CanActivate>)[];
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

function readGuards(
  read: OptionsReader<HystrixStreamOptions>,
): HystrixStreamOptions['guards'] | undefined {
  const guards: unknown = read.raw('guards');
  if (guards === undefined) return undefined;
  if (Array.isArray(guards) && guards.every(isGuard)) return guards;
  return read.wrong('guards', guards, 'a list of guards: classes, or objects with canActivate()');
}

function isGuard(value: unknown): value is CanActivate | Type<CanActivate> {
  if (typeof value === 'function') return true;
  return typeof (value as CanActivate | null)?.canActivate === 'function';
}
