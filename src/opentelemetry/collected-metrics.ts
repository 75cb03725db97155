import { type HrTime, ValueType } from '@opentelemetry/api';
import { takeTurns } from '../common/turns.js';
import type { Buckets } from '../instruments/buckets.js';
import type { Instrument } from '../instruments/instrument.js';
import { instruments } from '../instruments/instruments.js';
import type { Labels } from '../instruments/series.js';
import { type Measured, countKeys, histogramKeys } from './applications.js';
import { attributesOf } from './attributes.js';
import {
  CUMULATIVE,
  type CollectedMetrics,
  type DataPoint,
  type EmptyResource,
  GAUGE,
  HISTOGRAM,
  type HistogramValue,
  type MetricData,
  SUM,
  type ScopeMetrics,
} from './metric-data.js';
import { SCOPE } from './scope.js';

const EMPTY_RESOURCE: EmptyResource = {
  attributes: {},
  merge: (other) => other ?? EMPTY_RESOURCE,
  getRawAttributes: () => [],
};

/** The data of these series for a reader; they have counted since `startTime`. */
export async function collected(measured: Measured, startTime: HrTime): Promise<CollectedMetrics> {
  const metrics: MetricData[] = [];
  for await (const metric of takeTurns(metricsOf(measured, startTime, timeNow()))) {
    metrics.push(metric);
  }
  return withScopes(metrics.length === 0 ? [] : [{ scope: { name: SCOPE }, metrics }], []);
}

/** The data for a reader when the series could not be read. */
export function notCollected(error: unknown): CollectedMetrics {
  return withScopes([], [error]);
}

export function timeNow(): HrTime {
  const now = Date.now();
  return [Math.floor(now / 1_000), (now % 1_000) * 1e6];
}

function withScopes(scopeMetrics: ScopeMetrics[], errors: unknown[]): CollectedMetrics {
  return { resourceMetrics: { resource: EMPTY_RESOURCE, scopeMetrics }, errors };
}

/** As in the SDK, an instrument without series is left out. */
function* metricsOf(
  { counts, histograms }: Measured,
  startTime: HrTime,
  endTime: HrTime,
): Generator<MetricData> {
  const point = <Value>(labels: Labels, value: Value): DataPoint<Value> => {
    return { startTime, endTime, attributes: attributesOf(labels), value };
  };
  for (const key of countKeys) {
    const dataPoints = [...(counts.get(key) ?? [])].map(({ labels, value }) =>
      point(labels, value),
    );
    if (dataPoints.length === 0) continue;
    const data = { ...described(instruments[key]), dataPoints };
    if (instruments[key].kind === 'gauge') yield { ...data, dataPointType: GAUGE };
    else yield { ...data, dataPointType: SUM, isMonotonic: true };
  }
  for (const key of histogramKeys) {
    const dataPoints = [...(histograms.get(key) ?? [])].map((buckets) =>
      point(buckets.labels, histogramValue(buckets)),
    );
    if (dataPoints.length === 0) continue;
    yield { ...described(instruments[key]), dataPointType: HISTOGRAM, dataPoints };
  }
}

function described({
  name,
  description,
  unit,
}: Instrument): Pick<MetricData, 'descriptor' | 'aggregationTemporality'> {
  const descriptor = { name, description, unit, valueType: ValueType.DOUBLE };
  return { descriptor, aggregationTemporality: CUMULATIVE };
}

function histogramValue({ bounds, counts, sum, min, max }: Buckets): HistogramValue {
  const count = counts.reduce((all, each) => all + each, 0);
  const value = { buckets: { boundaries: [...bounds], counts }, count, sum };
  return count === 0 ? value : { ...value, min, max };
}
