import type { Duration } from '../common/duration.js';
import type { OptionsReader } from '../common/options-reader.js';

const DEFAULT_CAP = 60_000;

/** The longest `Retry-After` to honour, milliseconds; 0: none is honoured. */
export function readRetryAfterCap(
  read: OptionsReader<{ respectRetryAfter?: boolean | Duration }>,
): number {
  const respect = read.raw('respectRetryAfter');
  if (respect === false) return 0;
  if (respect === undefined || respect === true) return DEFAULT_CAP;
  return read.duration('respectRetryAfter') ?? DEFAULT_CAP;
}
