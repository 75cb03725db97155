import type { CanActivate, Type } from '@nestjs/common';
import type { Duration } from '../common/duration.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { OptionsReader, Problems } from '../common/options-reader.js';

/** Options of `HystrixStreamModule.forRoot()`, which throws a `ResilienceConfigurationError` when one is wrong. */
export interface HystrixStreamOptions {
  /** The route of the stream. Default: `hystrix.stream`. */
  readonly path?: string;
  /** How often the state of things is sent, at most 5 s. Default: 500 ms. */
  readonly interval?: Duration;
  /** How many clients may read at a time; those beyond get 503. Default: 5. */
  readonly maxConnections?: number;
  /**
   * Whether the breakers of a `key` are shown, each by itself. Keys are often tenants, hosts or users: mind who may
   * read. Default: false.
   */
  readonly keys?: boolean;
  /** Who may read. Default: everybody. */
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
