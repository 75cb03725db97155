import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import { type Instrument, combinationOf, prometheusName } from '../instruments/instrument.js';
import { type Count, type Labels, combine } from '../instruments/series.js';
import { Buckets, type Exemplar } from './buckets.js';

/** The series of an instrument, of one application. */
export type ReadSeries = () => Promise<Iterable<Count | Buckets>>;

interface Value {
  readonly labels: Labels;
  value: number;
  readonly metricName?: string;
  readonly exemplar?: Exemplar | undefined;
}

/**
 * A metric of `prom-client` whose values are made when they are scraped. Applications that share a registry share its
 * metrics: equal series are combined.
 */
export class ScrapedMetric {
  /** Not fixed: a registry of OpenMetrics takes `_total` off. */
  name: string;
  readonly help: string;
  readonly type: Instrument['kind'];
  readonly labelNames: readonly string[];
  /** How the processes of a cluster are put together. */
  readonly aggregator: 'sum' | 'max';
  private readonly sources = new Set<ReadSeries>();

  constructor(instrument: Instrument, prefix: string) {
    this.name = prefix + prometheusName(instrument);
    this.help = instrument.description;
    this.type = instrument.kind;
    this.labelNames = instrument.labels;
    this.aggregator = combinationOf(instrument);
  }

  add(source: ReadSeries): void {
    this.sources.add(source);
  }

  /** @returns whether other applications still use it */
  remove(source: ReadSeries): boolean {
    this.sources.delete(source);
    return this.sources.size > 0;
  }

  /** For the registry: its values at this moment. */
  async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    const { name, help, type, aggregator } = this;
    const values = new Map<string, Value>();
    for (const read of this.sources) {
      for (const cell of await read()) {
        for (const value of cell instanceof Buckets ? this.bucketsOf(cell) : [countOf(cell)]) {
          add(values, value, aggregator);
        }
      }
    }
    return { name, help, type, aggregator, values: [...values.values()] } as never;
  }

  /** For the registry: starts over. What is read from breakers and bulkheads stays. */
  async reset(): Promise<void> {
    for (const read of this.sources) {
      for (const cell of await read()) {
        if (cell instanceof Buckets) cell.reset();
        else cell.value = 0;
      }
    }
  }

  private *bucketsOf({ labels, bounds, counts, sum, exemplars }: Buckets): Generator<Value> {
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

function countOf({ labels, value }: Count): Value {
  return { labels, value };
}

function add(values: Map<string, Value>, value: Value, combination: 'sum' | 'max'): void {
  const key = JSON.stringify([value.metricName, value.labels]);
  const known = values.get(key);
  if (known === undefined) values.set(key, value);
  else known.value = combine(known.value, value.value, combination);
}
