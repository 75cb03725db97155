import { metrics } from '@opentelemetry/api';
import {
  type DataPoint,
  type Histogram,
  MeterProvider,
  type MetricProducer,
  PeriodicExportingMetricReader,
  InMemoryMetricExporter,
  AggregationTemporality,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import { ResilienceEvents } from '../src/index.js';
import {
  ResilienceMetricProducer,
  ResilienceOpenTelemetryModule,
  type ResilienceOpenTelemetryOptions,
} from '../src/opentelemetry/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { Remembered } from './support/let-go.js';
import { MetricsSdk, ways } from './support/metrics-sdk.js';
import { Shop, makeCalls, observedParts } from './support/observed-calls.js';

const bootWith = (options: ResilienceOpenTelemetryOptions): Promise<Booted> => {
  const imports = [ResilienceOpenTelemetryModule.forRoot({ spans: false, ...options })];
  return boot({ ...observedParts, imports });
};

let sdk: MetricsSdk;

beforeEach(() => {
  sdk = new MetricsSdk();
});

afterEach(async () => {
  await closeAll();
  await sdk.provider.shutdown();
});

/** The durations of successful calls of `Shop.prices`. */
async function durations(): Promise<DataPoint<Histogram>> {
  const points = (await sdk.points()).get('resilience.call.duration') ?? [];
  return points.find(
    ({ attributes }) =>
      attributes['resilience.name'] === 'Shop.prices' &&
      attributes['resilience.outcome'] === 'success',
  ) as DataPoint<Histogram>;
}

describe('a metric producer', () => {
  it('exports the same as the instruments of the SDK', async () => {
    const [one, other] = [new MetricsSdk(), new MetricsSdk()];
    const exported = [];
    for (const [each, optionsFor] of [
      [one, ways['instruments of the SDK']!],
      [other, ways['a metric producer']!],
    ] as const) {
      await makeCalls(await bootWith(optionsFor(each)));
      exported.push((await each.scopes()).map(comparable));
      await each.provider.shutdown();
    }
    expect(exported[0]).toHaveLength(1);
    expect(exported[1]).toEqual(exported[0]);
  });

  it('has each histogram before the first call, without values', async () => {
    await bootWith({ metricProducer: sdk.producer });
    const { value } = await durations();
    expect(value).toEqual({ count: 0, sum: 0, buckets: expect.anything() as never });
    expect(value.buckets.counts).toEqual([0, ...value.buckets.boundaries.map(() => 0)]);
    const points = await sdk.points();
    for (const name of ['bulkhead.wait.duration', 'rate_limit.wait.duration', 'stale.age']) {
      expect(points.get(`resilience.${name}`)).toHaveLength(1);
    }
  });

  it('begins each series when it is made, and ends it when it is collected', async () => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(1_700_000_000_250);
    const metricProducer = new ResilienceMetricProducer();
    await bootWith({ metricProducer });
    for (const [at, end] of [
      [1_700_000_001_500, [1_700_000_001, 500_000_000]],
      [1_700_000_002_000, [1_700_000_002, 0]],
    ] as const) {
      now.mockReturnValue(at);
      const { resourceMetrics } = await metricProducer.collect();
      const points = resourceMetrics.scopeMetrics[0]!.metrics.flatMap(
        ({ dataPoints }): readonly DataPoint<unknown>[] => dataPoints,
      );
      expect(new Set(points.map(({ startTime }) => String(startTime)))).toEqual(
        new Set(['1700000000,250000000']),
      );
      expect(points[0]!.endTime).toEqual(end);
    }
    now.mockRestore();
  });

  it('exports numbers that do not change any more', async () => {
    const { app } = await bootWith({ metricProducer: sdk.producer });
    const shop = app.get(Shop);
    await shop.prices();
    const first = await durations();
    await shop.prices();
    expect(first.value).toMatchObject({ count: 1, min: 0, max: 0 });
    expect(first.value.buckets.counts[0]).toBe(1);
    expect((await durations()).value.count).toBe(2);
  });

  it('sums the histograms of applications, also of those that have closed', async () => {
    const [one, other] = [
      await bootWith({ metricProducer: sdk.producer }),
      await bootWith({ metricProducer: sdk.producer }),
    ];
    await makeCalls(one);
    await other.app.get(Shop).prices();
    const sum = (await durations()).value;
    expect(sum).toMatchObject({ count: 3, min: 0 });
    await one.app.close();
    expect((await durations()).value).toEqual(sum);
    await other.app.close();
    expect((await durations()).value).toEqual(sum);
  });

  it('may be read by several readers', async () => {
    const { app } = await bootWith({ metricProducer: sdk.producer });
    await app.get(Shop).prices();
    const results = await Promise.all([sdk.producer.collect(), sdk.producer.collect()]);
    const calls = results.map(({ resourceMetrics }) => resourceMetrics.scopeMetrics[0]!.metrics[0]);
    expect(calls[0]!.descriptor.name).toBe('resilience.calls');
    expect(calls[1]!.dataPoints.map(({ value }) => value)).toEqual(
      calls[0]!.dataPoints.map(({ value }) => value),
    );
  });

  it('has nothing before an application has started, and leaves the other metrics alone', async () => {
    sdk.provider.getMeter('shop').createCounter('sold').add(1);
    expect((await sdk.scopes()).map(({ scope }) => scope.name)).toEqual(['shop']);
    await bootWith({ metricProducer: sdk.producer });
    expect((await sdk.scopes()).map(({ scope }) => scope.name)).toEqual([
      'shop',
      'nest-resilience',
    ]);
  });

  it('has nothing of an application whose start has failed', async () => {
    const onModuleInit = (): void => {
      throw new Error('no database');
    };
    const { producer: metricProducer } = sdk;
    const imports = [ResilienceOpenTelemetryModule.forRoot({ metricProducer, spans: false })];
    const providers = [...observedParts.providers, { provide: 'DB', useValue: { onModuleInit } }];
    await expect(boot({ imports, providers })).rejects.toThrow('no database');
    expect(await sdk.scopes()).toEqual([]);
  });

  it('gives the reader the error when an application cannot be read, and the other metrics stay', async () => {
    sdk.provider.getMeter('shop').createCounter('sold').add(1);
    const { registry } = await bootWith({ metricProducer: sdk.producer });
    const broken = new Error('broken');
    const iterate = jest.spyOn(registry, Symbol.asyncIterator).mockImplementation(() => {
      throw broken;
    });
    const { resourceMetrics, errors } = await sdk.reader.collect();
    expect(errors).toEqual([broken]);
    expect(resourceMetrics.scopeMetrics.map(({ scope }) => scope.name)).toEqual(['shop']);
    iterate.mockRestore();
    expect((await sdk.reader.collect()).resourceMetrics.scopeMetrics).toHaveLength(2);
  });

  it('goes on with the others when the last counts of an application cannot be read', async () => {
    const [one, other] = [
      await bootWith({ metricProducer: sdk.producer }),
      await bootWith({ metricProducer: sdk.producer }),
    ];
    jest.spyOn(one.registry, Symbol.asyncIterator).mockImplementation(() => {
      throw new Error('broken');
    });
    await one.app.close().catch(() => {}); // Nest 12 does not throw
    await other.app.get(Shop).prices();
    expect((await durations()).value.count).toBe(1);
  });

  it('takes the place of the global provider', async () => {
    metrics.setGlobalMeterProvider(sdk.provider);
    try {
      const { app } = await bootWith({ metricProducer: sdk.producer });
      await app.get(Shop).prices();
      expect(await sdk.scopes()).toHaveLength(1);
    } finally {
      metrics.disable();
    }
  });

  it('reads nothing without a reader', async () => {
    const booted = await bootWith({ metricProducer: sdk.producer });
    const readings = jest.spyOn(booted.registry, Symbol.asyncIterator);
    await makeCalls(booted);
    expect(readings).not.toHaveBeenCalled();
  });

  it('lets go of applications that have closed', async () => {
    const remembered = new Remembered();
    const metricProducer = new ResilienceMetricProducer();
    const run = async (): Promise<void> => {
      const { app } = await bootWith({ metricProducer });
      await remembered.add(app.get(Shop)).prices();
      await closeAll();
    };
    for (let i = 0; i < 4; i++) await run();
    expect(await remembered.left(1)).toBeLessThanOrEqual(1);
    expect((await metricProducer.collect()).resourceMetrics.scopeMetrics).toHaveLength(1);
  });

  it('is known when another copy of the package has made it', async () => {
    let other: ResilienceMetricProducer | undefined;
    await jest.isolateModulesAsync(async () => {
      const copy = await import('../src/opentelemetry/index.js');
      other = new copy.ResilienceMetricProducer();
    });
    expect(other).not.toBeInstanceOf(ResilienceMetricProducer);
    const { app } = await bootWith({ metricProducer: other! });
    await app.get(Shop).prices();
    const { resourceMetrics } = await other!.collect();
    expect(resourceMetrics.scopeMetrics[0]!.metrics.length).toBeGreaterThan(20);
  });

  it('is made before the modules are loaded that instrumentations patch', async () => {
    const patched = ['@nestjs/core', 'node:http', 'node:https', 'http', 'https'];
    await jest.isolateModulesAsync(async () => {
      for (const name of patched) {
        jest.doMock(name, () => {
          throw new Error(`${name} is loaded`);
        });
      }
      const copy = await import('../src/opentelemetry/index.js');
      expect(new copy.ResilienceMetricProducer()).toBeDefined();
    });
    for (const name of patched) jest.dontMock(name);
  });

  it('is a producer for the SDK, which merges its resource', async () => {
    const producer: MetricProducer = sdk.producer;
    const { resource } = (await producer.collect()).resourceMetrics;
    const { resourceMetrics } = await sdk.reader.collect();
    expect(resource.merge(resourceMetrics.resource)).toBe(resourceMetrics.resource);
    expect([resource.merge(null), resource.attributes]).toEqual([resource, {}]);
    expect(resource.getRawAttributes()).toEqual([]);
  });

  it('stays cumulative when the exporter prefers deltas', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
    const metricProducer = new ResilienceMetricProducer();
    const reader = new PeriodicExportingMetricReader({
      exporter,
      metricProducers: [metricProducer],
    });
    const provider = new MeterProvider({ readers: [reader] });
    const { app } = await bootWith({ metricProducer });
    await app.get(Shop).prices();
    await reader.forceFlush();
    await reader.forceFlush();
    const calls = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics[0]!.metrics)
      .filter(({ descriptor }) => descriptor.name === 'resilience.attempts');
    expect(
      calls.map(({ aggregationTemporality, dataPoints }) => [
        aggregationTemporality,
        dataPoints.some(({ value }) => value === 1),
      ]),
    ).toEqual([
      [AggregationTemporality.CUMULATIVE, true],
      [AggregationTemporality.CUMULATIVE, true],
    ]);
    await provider.shutdown();
  });

  it('gets nothing with metrics: false', async () => {
    const on = jest.spyOn(ResilienceEvents.prototype, 'on');
    const { app } = await bootWith({ metrics: false, metricProducer: sdk.producer });
    expect(new Set(on.mock.calls.map(([, listener]) => listener)).size).toBe(1); // that of `boot()`
    expect(app.get(ResilienceEvents).meters.any).toBe(false);
    on.mockRestore();
    await app.get(Shop).prices();
    expect(await sdk.scopes()).toEqual([]);
  });

  it('excludes a provider, since all would be exported twice', () => {
    const both = { metricProducer: sdk.producer, meterProvider: sdk.provider };
    expect(() => ResilienceOpenTelemetryModule.forRoot(both)).toThrow(
      /metricProducer and meterProvider are both given; use one of them/,
    );
  });
});

/** The metrics as a backend sees them: without times, without histograms that have no values, and without the event loop of the test. */
function comparable({ scope, metrics: all }: ScopeMetrics): unknown {
  const seen = all.map(({ descriptor, dataPoints, ...rest }) => {
    const { name, unit, description, valueType } = descriptor;
    const values = (dataPoints as readonly DataPoint<number | Histogram>[])
      .filter(({ value }) => typeof value === 'number' || value.count > 0)
      .map(({ attributes, value }) => [
        JSON.stringify(attributes),
        name.startsWith('resilience.event_loop') ? 0 : value,
      ]);
    return [
      name,
      { unit, description, valueType, ...rest, values: Object.fromEntries(values) as unknown },
    ];
  });
  return { scope: scope.name, metrics: Object.fromEntries(seen) as unknown };
}
