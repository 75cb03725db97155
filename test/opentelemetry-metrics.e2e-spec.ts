import { metrics } from '@opentelemetry/api';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import { ResilienceEvents } from '../src/index.js';
import { instruments } from '../src/instruments/instruments.js';
import type { Instrument } from '../src/instruments/instrument.js';
import { ResilienceOpenTelemetryModule } from '../src/opentelemetry/index.js';
import { MemoryStore } from '../src/testing/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { MetricsSdk, ways } from './support/metrics-sdk.js';
import { Shop, makeCalls, observed, observedParts } from './support/observed-calls.js';
import { outcome } from './support/wait.js';

const counters = (samples: Map<string, number>): [string, number][] =>
  [...samples].filter(
    ([series]) => series.includes('_total{') && !series.includes('time_in_state'),
  );

let sdk: MetricsSdk;

beforeEach(() => {
  sdk = new MetricsSdk();
});

afterEach(async () => {
  await closeAll();
  await sdk.provider.shutdown();
});

describe.each(Object.entries(ways))('an export of metrics by %s', (_way, optionsFor) => {
  const bootWith = ({ store }: { store?: MemoryStore } = {}): Promise<Booted> => {
    const options = { ...optionsFor(sdk), spans: false };
    const imports = [ResilienceOpenTelemetryModule.forRoot(options)];
    return boot({ ...observedParts, imports, resilience: store && { store } });
  };

  it('has every counter and gauge before the first call, and all counters are 0', async () => {
    const booted = await bootWith();
    const before = await sdk.samples();
    expect([...before.keys()]).toEqual(expect.arrayContaining(Object.keys(observed)));
    expect(counters(before).filter(([, value]) => value !== 0)).toEqual([]);
    await makeCalls(booted);
    expect([...(await sdk.samples()).keys()]).toEqual([...before.keys()]);
  });

  it('equals the calls that were made', async () => {
    await makeCalls(await bootWith());
    const seen = counters(await sdk.samples()).filter(([, value]) => value !== 0);
    expect(Object.fromEntries(seen)).toEqual(observed);
  });

  it('has durations in seconds, with buckets that fit', async () => {
    await makeCalls(await bootWith());
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
    await makeCalls(await bootWith({ store: new MemoryStore() }));
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

  it('sums equal series of applications that share a provider, and keeps the counts of a closed one', async () => {
    const [one, other] = [await bootWith(), await bootWith()];
    await one.app.get(Shop).prices();
    await other.app.get(Shop).prices();
    const at = async (series: string): Promise<number | undefined> =>
      (await sdk.samples()).get(series);
    const calls = 'resilience_calls_total{name="Shop.prices",outcome="success",source="live"}';
    const closed = 'resilience_circuit_breaker_state{name="storage",state="closed"}';
    expect([await at(calls), await at(closed)]).toEqual([2, 2]);
    await one.app.close();
    expect([await at(calls), await at(closed)]).toEqual([2, 1]);
    await other.app.close();
    expect(await at(calls)).toBe(2);
    await (await bootWith()).app.get(Shop).prices();
    expect([await at(calls), await at(closed)]).toEqual([3, 1]);
  });

  it('has the last counts when the SDK collects after the application has closed', async () => {
    const booted = await bootWith();
    await makeCalls(booted);
    await booted.clock.advance(1_000);
    await booted.app.close();
    const samples = await sdk.samples();
    const seen = counters(samples).filter(([, value]) => value !== 0);
    expect(Object.fromEntries(seen)).toEqual(observed);
    const times = [...samples].filter(([series]) =>
      series.startsWith('resilience_circuit_breaker_time_in_state_seconds_total{name="storage"'),
    );
    expect(times.reduce((sum, [, value]) => sum + value, 0)).toBe(booted.clock.now() / 1_000);
    const looksAtBreakers = jest.spyOn(booted.registry, 'list');
    await sdk.samples();
    expect(looksAtBreakers).not.toHaveBeenCalled();
  });

  it('counts a call once when the SDK collects while the last counts are read', async () => {
    const { app, registry } = await bootWith();
    await app.get(Shop).prices();
    let during: ReturnType<MetricsSdk['samples']> | undefined;
    jest.spyOn(registry, Symbol.asyncIterator).mockImplementation(async function* () {
      during ??= sdk.samples();
      await new Promise(setImmediate);
      yield* registry.list();
    });
    await app.close();
    const series = 'resilience_calls_total{name="Shop.prices",outcome="success",source="live"}';
    expect((await during)?.get(series)).toBe(1);
    expect((await sdk.samples()).get(series)).toBe(1);
  });

  it('counts the calls that end while the application closes', async () => {
    const { app } = await bootWith();
    const shop = app.get(Shop);
    const [running, waiting] = [shop.reviews(), outcome(shop.reviews())];
    // As a server does that waits for its requests.
    const beforeApplicationShutdown = async (): Promise<void> => {
      shop.running[0]!.resolve();
      await running;
    };
    Object.assign(shop, { beforeApplicationShutdown });
    await app.close();
    await waiting;
    const samples = await sdk.samples();
    const calls = (ended: string): number | undefined =>
      samples.get(`resilience_calls_total{name="Shop.reviews",outcome="${ended}",source="live"}`);
    expect([calls('success'), calls('rejected')]).toEqual([1, 1]);
  });
});

describe('an export of metrics', () => {
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
  it('nothing listens, and nothing is traced', async () => {
    const on = jest.spyOn(ResilienceEvents.prototype, 'on');
    const imports = [ResilienceOpenTelemetryModule.forRoot()];
    const { app } = await boot({ ...observedParts, imports });
    expect(new Set(on.mock.calls.map(([, listener]) => listener)).size).toBe(1); // that of `boot()`
    const events = app.get(ResilienceEvents);
    expect([events.tracer, events.meters.any]).toEqual([undefined, false]);
    on.mockRestore();
  });

  it('all wrong options are reported', () => {
    const wrong = {
      metrics: 1,
      spans: 'yes',
      attempts: 'links',
      maxNames: 1.5,
      meterProvider: {},
      metricProducer: { collect: () => {} },
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
