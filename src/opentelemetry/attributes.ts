import type { Attributes } from '@opentelemetry/api';
import { attributeName } from '../instruments/instrument.js';
import type { Labels } from '../instruments/series.js';

/** Made once for each series, and not at each collection. */
const known = new WeakMap<Labels, Attributes>();

/** The labels of a series as OpenTelemetry's attributes. */
export function attributesOf(labels: Labels): Attributes {
  let attributes = known.get(labels);
  if (attributes === undefined) {
    const entries = Object.entries(labels);
    attributes = Object.fromEntries(entries.map(([label, value]) => [attributeName(label), value]));
    known.set(labels, attributes);
  }
  return attributes;
}
