import {
  AggregationTemporality,
  type DataPoint,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import {
  type Instrument,
  attributeName,
  prometheusName,
} from '../../src/instruments/instrument.js';
import { instruments } from '../../src/instruments/instruments.js';
import {
  ResilienceMetricProducer,
  type ResilienceOpenTelemetryOptions,
} from '../../src/opentelemetry/index.js';

/** An SDK that exports into the memory. */
export class MetricsSdk {
  readonly producer = new ResilienceMetricProducer();
  private readonly exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly reader = new PeriodicExportingMetricReader({
    exporter: this.exporter,
    exportIntervalMillis: 1_000_000,
    metricProducers: [this.producer],
  });
  readonly provider = new MeterProvider({ readers: [this.reader] });

  async scopes(): Promise<ScopeMetrics[]> {
    this.exporter.reset();
    await this.reader.forceFlush();
    return this.exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
  }

  async metrics(): Promise<MetricData[]> {
    return (await this.scopes()).flatMap((scope) => scope.metrics);
  }

  async points(): Promise<Map<string, readonly DataPoint<unknown>[]>> {
    const all = await this.metrics();
    return new Map(all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints]));
  }

  /** Counters and gauges, written as Prometheus would. */
  async samples(): Promise<Map<string, number>> {
    const samples = new Map<string, number>();
    const points = await this.points();
    for (const instrument of Object.values<Instrument>(instruments)) {
      for (const { attributes, value } of points.get(instrument.name) ?? []) {
        if (typeof value !== 'number') continue;
        const labels = instrument.labels.map(
          (label) => `${label}="${String(attributes[attributeName(label)])}"`,
        );
        samples.set(`${prometheusName(instrument)}{${labels.join(',')}}`, value);
      }
    }
    return samples;
  }
}

/** The ways of metrics to an SDK: options of the module. */
export const ways: Readonly<Record<string, (sdk: MetricsSdk) => ResilienceOpenTelemetryOptions>> = {
  'instruments of the SDK': ({ provider }) => ({ meterProvider: provider }),
  'a metric producer': ({ producer }) => ({ metricProducer: producer }),
};
