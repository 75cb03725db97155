/** One thing that is measured. Its name and unit are those of OpenTelemetry; those of Prometheus follow from them. */
export interface Instrument<Label extends string = string> {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** Dotted, as in OpenTelemetry. */
  readonly name: string;
  /** A UCUM unit. In braces: a word for what is counted. */
  readonly unit: string;
  /** At most three, since each combination of values is a series. */
  readonly labels: readonly Label[];
  readonly description: string;
  /** Upper bounds of the buckets of a histogram. */
  readonly buckets?: readonly number[];
}

/** The suffix for a unit, as in OpenTelemetry's own translation to Prometheus. */
const SUFFIXES: Readonly<Record<string, string>> = { s: 'seconds', '1': 'ratio' };

/** The name in Prometheus: underscores, the unit, and `_total` for a counter. */
export function prometheusName({ kind, name, unit }: Instrument): string {
  const words = name.replaceAll('.', '_');
  const suffix = SUFFIXES[unit];
  const measured = suffix === undefined || words.endsWith(suffix) ? words : `${words}_${suffix}`;
  return kind === 'counter' ? `${measured}_total` : measured;
}

/** The name of a label in OpenTelemetry, where attributes have a namespace. */
export function attributeName(label: string): string {
  return `resilience.${label}`;
}

/** How the equal series of several applications become one. */
export type Combination = 'sum' | 'max';

/**
 * How the values of several applications, or processes of a cluster, become one: numbers are added; of shares, lags and the
 * fleet, the worst one counts.
 */
export function combinationOf({ kind, unit }: Instrument): Combination {
  const alike = ['1', 's', '{store}', '{instance}'];
  return kind === 'gauge' && alike.includes(unit) ? 'max' : 'sum';
}
