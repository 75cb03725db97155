import type { HrTime } from '@opentelemetry/api';
import { shared } from '../common/brand.js';
import { Buckets } from '../instruments/buckets.js';
import { Meters } from '../instruments/meters.js';
import type { Sources } from '../instruments/sources.js';
import { ApplicationMetrics } from './application-metrics.js';
import { Applications, histogramKeys } from './applications.js';
import { collected, notCollected, timeNow } from './collected-metrics.js';
import type { CollectedMetrics } from './metric-data.js';

/** By producer: the applications that it collects from. */
const known = shared('opentelemetry-producers', () => new WeakMap<object, Applications>());

/**
 * A `MetricProducer` for the readers of `@opentelemetry/sdk-metrics`: all metrics of the library, counted by itself, so that a
 * call costs much less than with the instruments of a `MeterProvider`. Give it to a reader where the SDK is started, and to
 * `ResilienceOpenTelemetryModule.forRoot()` as `metricProducer`. Several applications of a process may share it.
 *
 * Its metrics are cumulative, whatever the exporter prefers, and begin when it is made. Readers of version 2 and later accept
 * it; the types of version 1 need a cast.
 *
 * @example
 * export const resilienceMetrics = new ResilienceMetricProducer();
 *
 * const sdk = new NodeSDK({
 *   metricReaders: [
 *     new PeriodicExportingMetricReader({ exporter, metricProducers: [resilienceMetrics] }),
 *   ],
 * });
 */
export class ResilienceMetricProducer {
  private readonly startTime: HrTime = timeNow();
  private readonly applications = new Applications();

  constructor() {
    known.set(this, this.applications);
  }

  /** Called by readers. When an application cannot be read, there are no metrics, and the error is among `errors`. */
  async collect(): Promise<CollectedMetrics> {
    try {
      return await collected(await this.applications.read(), this.startTime);
    } catch (error) {
      return notCollected(error);
    }
  }
}

/** Whether it is a producer, perhaps of another copy of the package. */
export function isMetricProducer(value: unknown): value is ResilienceMetricProducer {
  return typeof value === 'object' && value !== null && known.has(value);
}

/** Counts the metrics of an application for a producer. */
export function metricsForProducer(
  sources: Sources,
  producer: ResilienceMetricProducer,
  maxNames: number,
): ApplicationMetrics {
  const meters = new Meters(sources, maxNames, (_key, { buckets = [] }, labels) => {
    return new Buckets(labels, buckets);
  });
  const { histograms } = meters.recorder;
  const series = new Map(histogramKeys.map((key) => [key, histograms[key]]));
  return new ApplicationMetrics(meters, known.get(producer)!, series);
}
