import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { shared } from '../common/brand.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { type InstrumentKey, type KeysOf, instruments } from '../instruments/instruments.js';
import { Meters } from '../instruments/meters.js';
import type { ReadKey } from '../instruments/readings.js';
import type { HistogramKey } from '../instruments/recorder.js';
import type { Count } from '../instruments/series.js';
import type { Sources } from '../instruments/sources.js';
import { BucketsWithExemplars } from './buckets-with-exemplars.js';
import type { PrometheusSettings } from './options.js';
import { ScrapedMetric, type SeriesSource } from './scraped-metric.js';

/** The metrics in each registry, by name: applications that share the registry share them. */
const registered = shared(
  'prometheus-metrics',
  () => new WeakMap<Registry, Map<string, ScrapedMetric>>(),
);

/** Shows the measurements of one application in a registry, until the application closes. */
export class PrometheusExporter implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly meters: Meters<BucketsWithExemplars>;
  private readonly sources: (readonly [ScrapedMetric, SeriesSource])[] = [];

  constructor(
    sources: Sources,
    private readonly settings: PrometheusSettings,
  ) {
    const { maxNames, exemplar } = settings;
    this.meters = new Meters(sources, maxNames, (key, { buckets = [] }, labels) => {
      return new BucketsWithExemplars(
        labels,
        buckets,
        key === 'callDuration' ? exemplar : undefined,
      );
    });
    this.meters.listen();
  }

  /** Late, so that an application whose start fails leaves nothing behind. */
  async onApplicationBootstrap(): Promise<void> {
    this.meters.start();
    try {
      for (const key of Object.keys(instruments) as InstrumentKey[]) this.register(key);
    } catch (error) {
      await this.onApplicationShutdown();
      throw error;
    }
  }

  /** Late, since calls go on until the server has answered its last request, which may be a scrape. */
  async onApplicationShutdown(): Promise<void> {
    this.meters.stop();
    const { registry } = this.settings;
    const metrics = registered.get(registry);
    for (const [metric, source] of this.sources) {
      if (await metric.retire(source)) continue;
      for (const [name, each] of metrics ?? []) {
        if (each !== metric) continue;
        metrics?.delete(name);
        // The application may have cleared the registry and registered a metric of that name.
        if (isMetric(registry, name, metric)) registry.removeSingleMetric(name);
      }
    }
    this.sources.length = 0;
  }

  private register(key: InstrumentKey): void {
    const metric = this.metricOf(key);
    const source = this.sourceOf(key);
    metric.add(source);
    this.sources.push([metric, source]);
  }

  private metricOf(key: InstrumentKey): ScrapedMetric {
    const { registry, prefix } = this.settings;
    const fresh = new ScrapedMetric(instruments[key], prefix);
    const { name } = fresh;
    const metrics = registered.get(registry) ?? new Map<string, ScrapedMetric>();
    registered.set(registry, metrics);
    const known = metrics.get(name);
    if (known !== undefined && isMetric(registry, name, known)) return known;
    try {
      registry.registerMetric(fresh as never);
    } catch {
      throw new ResilienceConfigurationError([
        `ResiliencePrometheusModule: the registry has a metric "${name}" already, which is not ours; choose a prefix, or another registry`,
      ]);
    }
    metrics.set(name, fresh);
    return fresh;
  }

  private sourceOf(key: InstrumentKey): SeriesSource {
    const { meters } = this;
    const recorded = { ...meters.counters, ...meters.recorder.histograms };
    if (!(key in recorded)) {
      return { read: async () => (await meters.read()).series[key as ReadKey], reset: () => {} };
    }
    const series: Iterable<Count | BucketsWithExemplars> =
      recorded[key as KeysOf<'counter'> | HistogramKey];
    return {
      // Includes series that were defined since the last scrape.
      read: async () => (await meters.read(), series),
      reset: () => {
        meters.skipUnread(key);
        for (const cell of series) cell.reset();
      },
    };
  }
}

/** Whether the registry still has that metric. */
function isMetric(registry: Registry, name: string, metric: ScrapedMetric): boolean {
  return (registry.getSingleMetric(name) as unknown) === metric;
}
