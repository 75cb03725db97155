import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import { type Instrument, combinationOf, prometheusName } from '../instruments/instrument.js';
import { type Count, type Labels, combine } from '../instruments/series.js';
import { BucketsWithExemplars, type Exemplar } from './buckets-with-exemplars.js';

/** The series of an instrument, of one application. */
export interface SeriesSource {
  read(): Promise<Iterable<Count | BucketsWithExemplars>>;
  /** Starts over, if it counts itself. */
  reset(): void;
}

interface Value {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
  readonly exemplar?: Exemplar | undefined;
}

/**
 * A metric of `prom-client` whose values are made when they are scraped. Applications that share a registry share its
 * metrics: equal series are combined.
 */
export class ScrapedMetric {
  /** Not fixed: a registry of OpenMetrics removes `_total`. */
  name: string;
  readonly help: string;
  readonly type: Instrument['kind'];
  readonly labelNames: readonly string[];
  /** How the values of the processes of a cluster are combined. */
  readonly aggregator: 'sum' | 'max';
  private readonly sources = new Set<SeriesSource>();
  /** The counts of applications that have closed while others continue: a counter never goes down. */
  private past: readonly Value[] = [];

  constructor(instrument: Instrument, prefix: string) {
    this.name = prefix + prometheusName(instrument);
    this.help = instrument.description;
    this.type = instrument.kind;
    this.labelNames = instrument.labels;
    this.aggregator = combinationOf(instrument);
  }

  add(source: SeriesSource): void {
    this.sources.add(source);
  }

  /** Keeps the counts of a source if others continue. @returns whether others do */
  async retire(source: SeriesSource): Promise<boolean> {
    if (this.type !== 'gauge' && this.sources.size > 1) {
      const last = this.valuesOf(await source.read());
      this.past = this.combined([this.past, last]);
    }
    this.sources.delete(source);
    return this.sources.size > 0;
  }

  /** For the registry: its values at this moment. */
  async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    const { name, help, type, aggregator, past } = this;
    const all = await Promise.all([...this.sources].map((source) => source.read()));
    const values = this.combined([past, ...all.map((series) => this.valuesOf(series))]);
    return { name, help, type, aggregator, values } as never;
  }

  /** For the registry: starts over. Gauges are not affected. */
  reset(): void {
    this.past = [];
    for (const source of this.sources) source.reset();
  }

  private combined(all: readonly Iterable<Value>[]): Value[] {
    const values = new Map<string, Value>();
    for (const each of all) {
      for (const value of each) {
        const key = JSON.stringify([value.metricName, value.labels]);
        const known = values.get(key);
        const sum = known && combine(known.value, value.value, this.aggregator);
        values.set(key, sum === undefined ? value : { ...value, value: sum });
      }
    }
    return [...values.values()];
  }

  private *valuesOf(cells: Iterable<Count | BucketsWithExemplars>): Generator<Value> {
    for (const cell of cells) {
      if (cell instanceof BucketsWithExemplars) yield* this.bucketsOf(cell);
      else yield { labels: cell.labels, value: cell.value };
    }
  }

  private *bucketsOf({
    labels,
    bounds,
    counts,
    sum,
    exemplars,
  }: BucketsWithExemplars): Generator<Value> {
    const { name } = this;
    let count = 0;
    for (const [i, bound] of [...bounds, '+Inf'].entries()) {
      count += counts[i]!;
      const exemplar = exemplars[i];
      yield {
        metricName: `${name}_bucket`,
        labels: { le: String(bound), ...labels },
        value: count,
        ...(exemplar && { exemplar }),
      };
    }
    yield { metricName: `${name}_sum`, labels, value: sum };
    yield { metricName: `${name}_count`, labels, value: count };
  }
}
