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
import { takeTurns } from '../common/turns.js';
import type { Instrument } from '../instruments/instrument.js';
import { instruments } from '../instruments/instruments.js';
import { Meters } from '../instruments/meters.js';
import type { Distribution, HistogramKey } from '../instruments/recorder.js';
import type { Sources } from '../instruments/sources.js';
import { ApplicationMetrics } from './application-metrics.js';
import { Applications, type CountKey, type ReadAll, countKeys } from './applications.js';
import { attributesOf } from './attributes.js';
import { SCOPE } from './scope.js';

/** By provider: applications that share one share its instruments. */
const known = shared(
  'opentelemetry-meters',
  () => new WeakMap<MeterProvider, ObservedApplications>(),
);

/** Gives the metrics of an application to the instruments of a provider. */
export function metricsForProvider(
  sources: Sources,
  provider: MeterProvider,
  maxNames: number,
): ApplicationMetrics {
  const meter = provider.getMeter(SCOPE);
  const histograms = new Map<HistogramKey, Histogram>();
  const meters = new Meters(sources, maxNames, (key, instrument, labels) => {
    const histogram = histograms.get(key) ?? histogramOf(meter, instrument);
    histograms.set(key, histogram);
    return new Recording(histogram, attributesOf(labels));
  });
  const observed = known.get(provider) ?? new ObservedApplications(meter);
  known.set(provider, observed);
  return new ApplicationMetrics(meters, observed, new Map());
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

/** Applications whose counters and gauges are in a meter, which asks for their values when it collects. */
class ObservedApplications extends Applications {
  private readonly instruments: readonly (readonly [CountKey, Observable])[];
  private asked = false;

  constructor(private readonly meter: Meter) {
    super();
    this.instruments = countKeys.map((key) => [key, observableOf(meter, key)]);
  }

  override add(application: ReadAll): void {
    super.add(application);
    if (this.asked) return;
    this.asked = true;
    const observables = this.instruments.map(([, observable]) => observable);
    this.meter.addBatchObservableCallback(this.observe, observables);
  }

  private readonly observe: BatchObservableCallback = async (result: BatchObservableResult) => {
    const { counts } = await this.read();
    for await (const [key, observable] of takeTurns(this.instruments)) {
      for (const { labels, value } of counts.get(key) ?? []) {
        result.observe(observable, value, attributesOf(labels));
      }
    }
  };
}

function observableOf(meter: Meter, key: CountKey): Observable {
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
