import type { Duration } from '../../../src/common/duration.js';
import type { OptionsReader } from '../../../src/common/options-reader.js';

/** Options of `@Quota()`; a number stands for `{ limit }`. */
export interface QuotaOptions {
  /** How many calls may begin within {@link per}. Default: 100. */
  readonly limit?: number;
  /** The period, which the clock divides time into. Default: 1 s. */
  readonly per?: Duration;
  /** A named configuration of `forRoot({ configs })` to take options from. */
  readonly config?: string;
}

export interface QuotaSettings {
  readonly limit: number;
  /** Milliseconds. */
  readonly per: number;
}

export function readQuotaOptions(read: OptionsReader<QuotaOptions>): QuotaSettings {
  return {
    limit: read.integer('limit', { min: 1 }) ?? 100,
    per: read.duration('per', { above: 0 }) ?? 1_000,
  };
}
