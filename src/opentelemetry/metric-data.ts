import type { Attributes, HrTime, ValueType } from '@opentelemetry/api';

// Metrics in the form of `@opentelemetry/sdk-metrics`. It is the user's, so neither it nor its types are imported here; a spec
// compares these types with its own.

/** `AggregationTemporality.CUMULATIVE` */
export const CUMULATIVE = 1;

/** `DataPointType` */
export const HISTOGRAM = 0;
export const GAUGE = 2;
export const SUM = 3;

/** The data that a reader collects from a producer. */
export interface CollectedMetrics {
  resourceMetrics: {
    /** Readers take their provider's instead. */
    resource: EmptyResource;
    scopeMetrics: ScopeMetrics[];
  };
  errors: unknown[];
}

export interface ScopeMetrics {
  scope: { readonly name: string };
  metrics: MetricData[];
}

export type MetricData = SumData | GaugeData | HistogramData;

interface Data<Value> {
  readonly descriptor: {
    readonly name: string;
    readonly description: string;
    readonly unit: string;
    readonly valueType: ValueType;
  };
  readonly aggregationTemporality: typeof CUMULATIVE;
  readonly dataPoints: DataPoint<Value>[];
}

interface SumData extends Data<number> {
  readonly dataPointType: typeof SUM;
  readonly isMonotonic: boolean;
}

interface GaugeData extends Data<number> {
  readonly dataPointType: typeof GAUGE;
}

interface HistogramData extends Data<HistogramValue> {
  readonly dataPointType: typeof HISTOGRAM;
}

export interface HistogramValue {
  buckets: { boundaries: number[]; counts: number[] };
  count: number;
  sum: number;
  /** Absent without a value, as is `max`. */
  min?: number;
  max?: number;
}

export interface DataPoint<Value> {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly attributes: Attributes;
  readonly value: Value;
}

export interface EmptyResource {
  readonly attributes: Attributes;
  merge<Other extends object>(other: Other | null): Other | EmptyResource;
  getRawAttributes(): [];
}
