import type { ModuleMetadata, InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import type { Duration } from '../common/duration.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { type Guard, readGuards } from '../common/guards.js';
import { OptionsReader, Problems } from '../common/options-reader.js';

/** Returns who makes a request; `undefined`: unknown, so changes are refused. */
export type Identify = (request: never) => string | undefined | Promise<string | undefined>;

/** Options of `ResilienceAdminModule` that may depend on other providers. */
export interface ResilienceAdminSettings {
  /** Whether all changes are refused. Default: true without `guards`, false with them. */
  readonly readOnly?: boolean;
  /**
   * Who makes a change, from the request (Express' or Fastify's), such as `({ user }) => user.name`. A change without a name
   * is refused with 403. Default: the field `by` of the change.
   */
  readonly identify?: Identify;
  /**
   * Names of hosts by which the server may be addressed; a leading dot stands for all below it (`.internal`), `'*'` for any name.
   * Protects from pages of other sites whose name leads here (DNS rebinding). `localhost` and IP addresses are always
   * allowed. Default: no others.
   */
  readonly allowedHosts?: readonly string[];
  /** How many clients may read the stream at a time; further ones get 503. At most 1000. Default 20. */
  readonly maxConnections?: number;
  /** Time between two messages of the stream; 500 ms to 5 s. Default 500 ms. */
  readonly interval?: Duration;
  /** How many breakers, bulkheads and rate limits by key, of each kind, are in the stream and have plots; the lists have all. Default 100. */
  readonly maxKeys?: number;
  /** How many events are kept; as many changes of states, overrides and changes by operators are kept besides. Default 1000. */
  readonly maxEvents?: number;
}

/** Options of `ResilienceAdminModule.forRoot()`, which throws a `ResilienceConfigurationError` when one is wrong. */
export interface ResilienceAdminOptions extends ResilienceAdminSettings {
  /** The route below which everything is. Default `'resilience'`. */
  readonly path?: string;
  /** Guards of all routes. Default: none; then everyone can read, and no one can change anything. */
  readonly guards?: readonly Guard[];
}

/** Options of `ResilienceAdminModule.forRootAsync()`. Routes and guards must be known when the module is declared. */
export interface ResilienceAdminAsyncOptions
  extends Pick<ModuleMetadata, 'imports'>, Pick<ResilienceAdminOptions, 'path' | 'guards'> {
  /** Providers to inject as the arguments of `useFactory`. */
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
  /** Makes the other options from the injected providers. */
  readonly useFactory: (
    ...dependencies: never[]
  ) => ResilienceAdminSettings | Promise<ResilienceAdminSettings>;
}

/** The routes, checked. */
export interface AdminRoutes {
  readonly path: string;
  readonly guards: readonly Guard[];
}

/** All options except the routes, checked and complete; durations in milliseconds. */
export interface AdminSettings {
  readonly readOnly: boolean;
  readonly identify: Identify | undefined;
  /** In lower case. */
  readonly allowedHosts: readonly string[];
  readonly maxConnections: number;
  readonly interval: number;
  readonly maxKeys: number;
  readonly maxEvents: number;
}

const PATH = /^\/?[\w.~-]+(?:\/[\w.~-]+)*\/?$/;
const HOST = /^(?:\*|\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/i;

/** @throws {ResilienceConfigurationError} */
export function readRoutes(
  options: Pick<ResilienceAdminOptions, 'path' | 'guards'>,
  where: string,
): AdminRoutes {
  const problems = new Problems();
  const read = new OptionsReader<Pick<ResilienceAdminOptions, 'path' | 'guards'>>(
    options,
    where,
    problems,
  );
  const routes = { path: readPath(read) ?? 'resilience', guards: readGuards(read) ?? [] };
  raise(problems);
  return routes;
}

/** @throws {ResilienceConfigurationError} */
export function readSettings(given: unknown, guarded: boolean, where: string): AdminSettings {
  const problems = new Problems();
  const read = new OptionsReader(given as ResilienceAdminSettings, where, problems);
  const readOnly = read.boolean('readOnly') ?? !guarded;
  if (!readOnly && !guarded) {
    read.contradiction('readOnly is false, but changes need a guard; give guards');
  }
  const settings: AdminSettings = {
    readOnly,
    identify: read.function('identify'),
    allowedHosts: readHosts(read) ?? [],
    maxConnections: read.integer('maxConnections', { min: 1, max: 1_000 }) ?? 20,
    interval: read.duration('interval', { min: 500, max: 5_000 }) ?? 500,
    maxKeys: read.integer('maxKeys', { max: 1_000 }) ?? 100,
    maxEvents: read.integer('maxEvents', { min: 10, max: 10_000 }) ?? 1_000,
  };
  read.done();
  raise(problems);
  return settings;
}

function readPath(
  read: OptionsReader<Pick<ResilienceAdminOptions, 'path' | 'guards'>>,
): string | undefined {
  const path = read.text('path');
  if (path === undefined) return undefined;
  if (PATH.test(path) && !/(?:^|\/)\.{1,2}(?:\/|$)/.test(path)) return path.replace(/^\/|\/$/g, '');
  return read.wrong('path', path, `a path of letters, digits, '-', '_', '.', '~' and '/'`);
}

function readHosts(read: OptionsReader<ResilienceAdminSettings>): readonly string[] | undefined {
  const hosts: unknown = read.raw('allowedHosts');
  if (hosts === undefined) return undefined;
  const right =
    Array.isArray(hosts) && hosts.every((host) => typeof host === 'string' && HOST.test(host));
  if (right) return hosts.map((host: string) => host.toLowerCase());
  return read.wrong(
    'allowedHosts',
    hosts,
    `a list of names without port: 'ops.example.com', '.internal' for all below it, '*' for any`,
  );
}

function raise(problems: Problems): void {
  if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
}
