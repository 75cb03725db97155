import type {
  Attributes,
  BatchObservableCallback,
  BatchObservableResult,
  Histogram,
  Meter,
  MeterProvider,
  Observable,
} from '@opentelemetry/api';
import { shared } from '../common/brand.js';
import { type Instrument, attributeName, combinationOf } from '../instruments/instrument.js';
import { type InstrumentKey, instruments } from '../instruments/instruments.js';
import { Meters } from '../instruments/meters.js';
import type { Distribution, HistogramKey } from '../instruments/recorder.js';
import { type Count, type Labels, combined } from '../instruments/series.js';
import type { Sources } from '../instruments/sources.js';
import { SCOPE } from './scope.js';

type ObservedKey = Exclude<InstrumentKey, HistogramKey>;

/** All counters and gauges of one application. */
type ReadAll = () => Promise<Readonly<Record<ObservedKey, Iterable<Count>>>>;

/** The counters of applications that have closed. */
type Past = ReadonlyMap<ObservedKey, Iterable<Count>>;

/** By provider: applications that share one share its instruments, since each series can have one value only. */
const known = shared(
  'opentelemetry-meters',
  () => new WeakMap<MeterProvider, ObservedInstruments>(),
);

/** Records what is measured in one application with a provider, until the application closes. */
export class MeterExport {
  private readonly meters: Meters;
  private readonly observed: ObservedInstruments;

  constructor(sources: Sources, provider: MeterProvider, maxNames: number) {
    const meter = provider.getMeter(SCOPE);
    const histograms = new Map<HistogramKey, Histogram>();
    this.meters = new Meters(sources, maxNames, (key, instrument, labels) => {
      const histogram = histograms.get(key) ?? histogramOf(meter, instrument);
      histograms.set(key, histogram);
      return new Recording(histogram, attributesOf(labels));
    });
    this.observed = known.get(provider) ?? new ObservedInstruments(meter);
    known.set(provider, this.observed);
    this.meters.listen();
  }

  /** To be called when all that is known at bootstrap is known. */
  start(): void {
    this.meters.start();
    this.observed.add(this.readAll);
  }

  async stop(): Promise<void> {
    this.meters.stop();
    await this.observed.retire(this.readAll);
  }

  private readonly readAll: ReadAll = async () => {
    const { series } = await this.meters.read();
    return { ...series, ...this.meters.counters };
  };
}

/** One series of a histogram; the SDK keeps its buckets. */
class Recording implements Distribution {
  constructor(
    private readonly histogram: Histogram,
    private readonly attributes: Attributes,
  ) {}

  record(value: number): void {
    this.histogram.record(value, this.attributes);
  }
}

/** The counters and gauges in a meter, which asks for their values when it collects. */
class ObservedInstruments {
  private readonly instruments: readonly (readonly [ObservedKey, Observable])[];
  private readonly applications = new Set<ReadAll>();
  /** A collection may come after an application has closed, and a counter never goes down. Replaced, never changed. */
  private past: Past = new Map();
  private asked = false;

  constructor(private readonly meter: Meter) {
    const keys = Object.keys(instruments) as InstrumentKey[];
    this.instruments = keys.filter(isObserved).map((key) => [key, observableOf(meter, key)]);
  }

  add(application: ReadAll): void {
    this.applications.add(application);
    if (this.asked) return;
    this.asked = true;
    const observables = this.instruments.map(([, observable]) => observable);
    this.meter.addBatchObservableCallback(this.observe, observables);
  }

  /** Keeps the counts of an application, and nothing else of it. */
  async retire(application: ReadAll): Promise<void> {
    if (!this.applications.has(application)) return;
    const last = await application();
    this.applications.delete(application);
    const { past } = this;
    const counters = this.instruments.filter(([key]) => instruments[key].kind === 'counter');
    this.past = new Map(
      counters.map(([key]) => [key, combined([past.get(key) ?? [], last[key]], 'sum')]),
    );
  }

  private readonly observe: BatchObservableCallback = async (result: BatchObservableResult) => {
    const { past } = this; // of those that are not read now
    const all = await Promise.all([...this.applications].map((read) => read()));
    for (const [key, observable] of this.instruments) {
      for (const { labels, value } of combined(
        [past.get(key) ?? [], ...all.map((series) => series[key])],
        combinationOf(instruments[key]),
      )) {
        result.observe(observable, value, attributesOf(labels));
      }
    }
  };
}

function isObserved(key: InstrumentKey): key is ObservedKey {
  return instruments[key].kind !== 'histogram';
}

function observableOf(meter: Meter, key: ObservedKey): Observable {
  const { kind, name, unit, description } = instruments[key];
  return kind === 'counter'
    ? meter.createObservableCounter(name, { unit, description })
    : meter.createObservableGauge(name, { unit, description });
}

function histogramOf(
  meter: Meter,
  { name, unit, description, buckets = [] }: Instrument,
): Histogram {
  const advice = { explicitBucketBoundaries: [...buckets] };
  return meter.createHistogram(name, { unit, description, advice });
}

function attributesOf(labels: Labels): Attributes {
  return Object.fromEntries(
    Object.entries(labels).map(([label, value]) => [attributeName(label), value]),
  );
}
