import {
  type MeterProvider,
  ProxyTracerProvider,
  type TracerProvider,
  createNoopMeter,
  metrics,
  trace,
} from '@opentelemetry/api';
import { ResilienceConfigurationError } from '../common/errors.js';
import { OptionsReader, Problems } from '../common/options-reader.js';
import { type ResilienceMetricProducer, isMetricProducer } from './metric-producer.js';

/**
 * Options of `ResilienceOpenTelemetryModule.forRoot()`, which throws a `ResilienceConfigurationError` when one is wrong.
 */
export interface ResilienceOpenTelemetryOptions {
  /** Whether metrics are recorded. Default true. */
  readonly metrics?: boolean;
  /** Whether calls are spans. Default true. */
  readonly spans?: boolean;
  /** Attempts as child spans of their call's span, or only as its events. Default `spans`. */
  readonly attempts?: 'spans' | 'events';
  /**
   * How many names that are not known at bootstrap (keys, commands made later) have series of their own; the rest is summed
   * as `other`. Default 100.
   */
  readonly maxNames?: number;
  /**
   * Collects the metrics for the readers of the SDK that it is given to, instead of the instruments of a `meterProvider`; a
   * call costs much less. Default: none.
   */
  readonly metricProducer?: ResilienceMetricProducer;
  /** Default: the global one, when the application starts. Not together with `metricProducer`. */
  readonly meterProvider?: MeterProvider;
  /** Default: the global one, when the application starts. */
  readonly tracerProvider?: TracerProvider;
}

export interface OpenTelemetrySettings {
  /** `undefined`: no metrics, or by the provider. */
  readonly metricProducer: ResilienceMetricProducer | undefined;
  /** `undefined`: no metrics, or no SDK that would take them. */
  readonly meterProvider: () => MeterProvider | undefined;
  /** `undefined`: no spans, or no SDK that would take them. */
  readonly tracerProvider: () => TracerProvider | undefined;
  readonly attemptSpans: boolean;
  readonly maxNames: number;
}

/** @throws {ResilienceConfigurationError} */
export function readOpenTelemetryOptions(
  options: ResilienceOpenTelemetryOptions,
): OpenTelemetrySettings {
  const problems = new Problems();
  const read = new OptionsReader(options, 'ResilienceOpenTelemetryModule.forRoot()', problems);
  const withMetrics = read.boolean('metrics') ?? true;
  const withSpans = read.boolean('spans') ?? true;
  const metricProducer = readProducer(read);
  const meterProvider = readProvider(read, 'meterProvider', 'getMeter');
  const tracerProvider = readProvider(read, 'tracerProvider', 'getTracer');
  if (metricProducer !== undefined && meterProvider !== undefined) {
    read.contradiction('metricProducer and meterProvider are both given; use one of them');
  }
  const settings: OpenTelemetrySettings = {
    metricProducer: withMetrics ? metricProducer : undefined,
    meterProvider: () => (withMetrics ? (meterProvider ?? globalMeters()) : undefined),
    tracerProvider: () => (withSpans ? (tracerProvider ?? globalTracers()) : undefined),
    attemptSpans: readAttempts(read) === 'spans',
    maxNames: read.integer('maxNames', { min: 0 }) ?? 100,
  };
  read.done();
  if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
  return settings;
}

function readProducer(
  read: OptionsReader<ResilienceOpenTelemetryOptions>,
): ResilienceMetricProducer | undefined {
  const producer: unknown = read.raw('metricProducer');
  if (producer === undefined || isMetricProducer(producer)) return producer;
  return read.wrong('metricProducer', producer, 'a ResilienceMetricProducer');
}

function readProvider<K extends 'meterProvider' | 'tracerProvider'>(
  read: OptionsReader<ResilienceOpenTelemetryOptions>,
  option: K,
  method: string,
): ResilienceOpenTelemetryOptions[K] {
  const provider: unknown = read.raw(option);
  if (provider === undefined) return undefined;
  const known = provider as Readonly<Record<string, unknown>> | null;
  if (typeof known?.[method] === 'function') return provider as ResilienceOpenTelemetryOptions[K];
  return read.wrong(option, provider, `an object with ${method}()`);
}

function readAttempts(read: OptionsReader<ResilienceOpenTelemetryOptions>): 'spans' | 'events' {
  const attempts: unknown = read.raw('attempts');
  if (attempts === 'events') return attempts;
  if (attempts !== undefined && attempts !== 'spans') {
    read.wrong('attempts', attempts, "'spans' or 'events'");
  }
  return 'spans';
}

/** The global provider of an SDK. */
function globalMeters(): MeterProvider | undefined {
  const provider = metrics.getMeterProvider();
  return provider.getMeter('nest-resilience') === createNoopMeter() ? undefined : provider;
}

/** The global provider of an SDK; without one, the API gives a proxy for a provider that does nothing. */
function globalTracers(): TracerProvider | undefined {
  const provider = trace.getTracerProvider();
  const nothing = new ProxyTracerProvider().getDelegate();
  const known = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  return known === nothing ? undefined : provider;
}
