import type { Attributes } from '@opentelemetry/api';
import { attributeName } from '../instruments/instrument.js';
import type { Labels } from '../instruments/series.js';

/** The labels of a series as OpenTelemetry has them. */
export function attributesOf(labels: Labels): Attributes {
  return Object.fromEntries(
    Object.entries(labels).map(([label, value]) => [attributeName(label), value]),
  );
}
