import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { ResilienceEvents } from '../src/index.js';
import { instruments } from '../src/instruments/instruments.js';
import { type Instrument, attributeName, prometheusName } from '../src/instruments/instrument.js';
import { ResilienceOpenTelemetryModule } from '../src/opentelemetry/index.js';
import { MemoryStore } from '../src/testing/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { Shop, makeCalls, observed, observedParts } from './support/observed-calls.js';

/** An SDK that exports into the memory. */
class Sdk {
  private readonly exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  private readonly reader = new PeriodicExportingMetricReader({
    exporter: this.exporter,
    exportIntervalMillis: 1_000_000,
  });
  readonly provider = new MeterProvider({ readers: [this.reader] });

  async metrics(): Promise<MetricData[]> {
    this.exporter.reset();
    await this.reader.forceFlush();
    const scopes = this.exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    return scopes.flatMap((scope) => scope.metrics);
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

const counters = (samples: Map<string, number>): [string, number][] =>
  [...samples].filter(
    ([series]) => series.includes('_total{') && !series.includes('time_in_state'),
  );

const bootWith = (meterProvider: MeterProvider): Promise<Booted> => {
  const imports = [ResilienceOpenTelemetryModule.forRoot({ meterProvider, spans: false })];
  return boot({ ...observedParts, imports });
};

describe('an export of metrics', () => {
  let sdk: Sdk;

  beforeEach(() => {
    sdk = new Sdk();
  });

  afterEach(async () => {
    await closeAll();
    await sdk.provider.shutdown();
  });

  it('has every counter and gauge before the first call, and all counters are 0', async () => {
    const booted = await bootWith(sdk.provider);
    const before = await sdk.samples();
    expect([...before.keys()]).toEqual(expect.arrayContaining(Object.keys(observed)));
    expect(counters(before).filter(([, value]) => value !== 0)).toEqual([]);
    await makeCalls(booted);
    expect([...(await sdk.samples()).keys()]).toEqual([...before.keys()]);
  });

  it('equals the calls that were made', async () => {
    await makeCalls(await bootWith(sdk.provider));
    const seen = counters(await sdk.samples()).filter(([, value]) => value !== 0);
    expect(Object.fromEntries(seen)).toEqual(observed);
  });

  it('has durations in seconds, with buckets that fit', async () => {
    await makeCalls(await bootWith(sdk.provider));
    const points = await sdk.points();
    const books = points
      .get('resilience.call.duration')!
      .find(({ attributes }) => attributes['resilience.name'] === 'Shop.books')!;
    expect(books.attributes).toEqual({
      'resilience.name': 'Shop.books',
      'resilience.outcome': 'success',
    });
    const { count, sum, buckets } = books.value as Histogram;
    expect([count, sum]).toEqual([7, expect.closeTo(2.3)]);
    expect(buckets.boundaries).toEqual([...instruments.callDuration.buckets]);
  });

  it('has the names, units and descriptions of the list', async () => {
    const imports = [
      ResilienceOpenTelemetryModule.forRoot({ meterProvider: sdk.provider, spans: false }),
    ];
    const resilience = { store: new MemoryStore() };
    await makeCalls(await boot({ ...observedParts, imports, resilience }));
    const seen = (await sdk.metrics()).map(({ descriptor: { name, unit, description } }) => ({
      name,
      unit,
      description,
    }));
    const list = Object.values<Instrument>(instruments);
    expect(seen).toHaveLength(list.length);
    expect(list).toEqual(
      expect.arrayContaining(seen.map((each) => expect.objectContaining(each) as object)),
    );
  });

  it('sums equal series of applications that share a provider, until each closes', async () => {
    const [one, other] = [await bootWith(sdk.provider), await bootWith(sdk.provider)];
    await one.app.get(Shop).prices();
    await other.app.get(Shop).prices();
    const series = 'resilience_calls_total{name="Shop.prices",outcome="success",source="live"}';
    expect((await sdk.samples()).get(series)).toBe(2);
    await one.app.close();
    expect((await sdk.samples()).get(series)).toBe(1);
    const meter = sdk.provider.getMeter('nest-resilience');
    const stopped = jest.spyOn(meter, 'removeBatchObservableCallback');
    await other.app.close();
    expect(stopped).toHaveBeenCalledTimes(1);
    const looksAtBreakers = jest.spyOn(other.registry, 'list');
    await sdk.samples();
    expect(looksAtBreakers).not.toHaveBeenCalled();
  });

  it('goes to the global provider by default', async () => {
    metrics.setGlobalMeterProvider(sdk.provider);
    try {
      const imports = [ResilienceOpenTelemetryModule.forRoot()];
      await makeCalls(await boot({ ...observedParts, imports }));
      expect(counters(await sdk.samples()).length).toBeGreaterThan(0);
    } finally {
      metrics.disable();
    }
  });
});

describe('without an SDK', () => {
  afterEach(closeAll);

  it('nothing listens, and nothing is traced', async () => {
    const on = jest.spyOn(ResilienceEvents.prototype, 'on');
    const imports = [ResilienceOpenTelemetryModule.forRoot()];
    const { app } = await boot({ ...observedParts, imports });
    expect(on).not.toHaveBeenCalled();
    expect(app.get(ResilienceEvents).tracer).toBeUndefined();
    on.mockRestore();
  });

  it('all wrong options are reported', () => {
    const wrong = {
      metrics: 1,
      spans: 'yes',
      attempts: 'links',
      maxNames: 1.5,
      meterProvider: {},
      tracerProvider: 1,
      port: 1,
    };
    for (const option of Object.keys(wrong)) {
      expect(() => ResilienceOpenTelemetryModule.forRoot(wrong as never)).toThrow(
        new RegExp(`ResilienceOpenTelemetryModule\\.forRoot\\(\\):.*${option}`),
      );
    }
  });

  it('a second forRoot() is refused', async () => {
    const imports = [
      ResilienceOpenTelemetryModule.forRoot(),
      ResilienceOpenTelemetryModule.forRoot({ spans: false }),
    ];
    await expect(boot({ imports })).rejects.toThrow(
      /ResilienceOpenTelemetryModule: forRoot\(\) is used twice/,
    );
  });

  it('a module that is missing, or forRoot(), is named', async () => {
    const imports = [ResilienceOpenTelemetryModule.forRoot()];
    await expect(boot({ resilience: false, imports })).rejects.toThrow(
      /import ResilienceModule\.forRoot\(\) too/,
    );
    await expect(boot({ imports: [ResilienceOpenTelemetryModule] })).rejects.toThrow(/use forRoot/);
  });
});
