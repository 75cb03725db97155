import type { Duration } from '../../common/duration.js';
import type { OptionsReader } from '../../common/options-reader.js';
import type { Switchable } from '../switchable.js';

/** Options of `@Timeout()`; a plain duration stands for `{ attempt }`. At least one of `attempt` and `total` is required. */
export interface TimeoutOptions extends Switchable {
  /** How long one attempt may take, including its wait for a place in a bulkhead. Default: no limit. */
  readonly attempt?: Duration;
  /** How long the whole call may take, including all attempts and waits; longer than `attempt`. Default: no limit. */
  readonly total?: Duration;
  /** A named configuration of `forRoot({ configs })` to take options from. */
  readonly config?: string;
}

/** Milliseconds. */
export interface TimeoutSettings {
  readonly attempt: number | undefined;
  readonly total: number | undefined;
}

export function readTimeoutOptions(read: OptionsReader<TimeoutOptions>): TimeoutSettings {
  const attempt = read.duration('attempt', { above: 0 });
  const total = read.duration('total', { above: 0 });
  if (read.raw('attempt') === undefined && read.raw('total') === undefined) {
    read.contradiction(`no time given; use a duration such as '2s', or { attempt, total }`);
  }
  if (attempt !== undefined && total !== undefined && attempt >= total) {
    read.contradiction(
      `attempt (${attempt} ms) must be shorter than total (${total} ms), or the total timeout always comes first`,
    );
  }
  return { attempt, total };
}
