import { type OpenMetricsContentType, type Registry, register } from 'prom-client';
import { ResilienceConfigurationError } from '../common/errors.js';
import { OptionsReader, Problems } from '../common/options-reader.js';
import { look } from '../common/outcomes/look.js';
import type { GetExemplar } from './buckets-with-exemplars.js';

/** Options of `ResiliencePrometheusModule.forRoot()`, which throws a `ResilienceConfigurationError` when one is wrong. */
export interface ResiliencePrometheusOptions {
  /** Where the metrics are registered. Default: the global registry of `prom-client`. */
  readonly registry?: Registry | Registry<OpenMetricsContentType>;
  /** Put before the name of each metric. Default: none; dashboards and alert rules expect none. */
  readonly prefix?: string;
  /**
   * How many names that are not known at bootstrap (keys, commands made later) have series of their own; the rest is summed
   * as `other`. Default 100.
   */
  readonly maxNames?: number;
  /**
   * The exemplar of a call's duration, such as `traceExemplar` of `nest-resilience/opentelemetry`; called when a call has
   * ended. Only shown if the registry has the content type of OpenMetrics. Default: none.
   */
  readonly exemplar?: () => Readonly<Record<string, string>> | undefined;
}

export interface PrometheusSettings {
  readonly registry: Registry;
  readonly prefix: string;
  readonly maxNames: number;
  readonly exemplar: GetExemplar | undefined;
}

/** @throws {ResilienceConfigurationError} */
export function readPrometheusOptions(options: ResiliencePrometheusOptions): PrometheusSettings {
  const problems = new Problems();
  const read = new OptionsReader(options, 'ResiliencePrometheusModule.forRoot()', problems);
  const settings = {
    registry: readRegistry(read) ?? register,
    prefix: readPrefix(read) ?? '',
    maxNames: read.integer('maxNames', { min: 0 }) ?? 100,
    exemplar: read.synchronous('exemplar'),
  };
  read.done();
  if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
  return settings;
}

function readRegistry(read: OptionsReader<ResiliencePrometheusOptions>): Registry | undefined {
  const registry: unknown = read.raw('registry');
  if (registry === undefined) return undefined;
  if (typeof look(registry, 'registerMetric') === 'function') return registry as Registry;
  return read.wrong('registry', registry, 'a Registry of prom-client');
}

function readPrefix(read: OptionsReader<ResiliencePrometheusOptions>): string | undefined {
  const prefix: unknown = read.raw('prefix');
  if (prefix === undefined || prefix === '') return undefined;
  if (typeof prefix === 'string' && /^[a-zA-Z_:][\w:]*$/.test(prefix)) return prefix;
  return read.wrong('prefix', prefix, "the beginning of a metric's name, such as 'shop_'");
}
