import { type Duration, parseDuration } from '../../common/duration.js';
import type { OptionsReader } from '../../common/options-reader.js';
import { Classifier } from '../../common/outcomes/classifier.js';
import { type ResultOutcomeOptions, readOutcomeOptions } from '../../common/outcomes/outcome.js';
import type { Surroundings } from '../policy.js';
import { readRetryAfterCap } from '../retry-after-cap.js';
import type { Switchable } from '../switchable.js';
import type { TimeoutSettings } from '../timeout/options.js';
import { type Backoff, type DelayRule, defaultBackoff, readBackoff } from '../backoff/backoff.js';

/** Options of `@Retry()`. The defaults are those of cenkalti/backoff v4, except for `maxRetries`. */
export interface RetryOptions extends ResultOutcomeOptions, Switchable {
  /** Attempts after the first: 7 means at most 8 calls. `Infinity`: no limit apart from the time. Default 3. */
  readonly maxRetries?: number;
  /** How long to wait between attempts. Default `exponential()`: 500 ms, × 1.5, ± 50 %, at most 60 s. */
  readonly backoff?: Backoff;
  /** No retry begins later than this after the start of the call; above 0. `Infinity`: no limit. Default 15 min. */
  readonly maxElapsedTime?: Duration;
  /**
   * Waits at least for the `Retry-After` of the failed attempt, capped at this value. `true`: capped at 60 s; `false`:
   * ignores `Retry-After`. Default `true`.
   */
  readonly respectRetryAfter?: boolean | Duration;
  /** A named configuration of `forRoot({ configs })` to take options from. */
  readonly config?: string;
}

/** Durations in milliseconds. */
export interface RetrySettings {
  readonly maxRetries: number;
  readonly backoff: DelayRule;
  /** The shortest possible first wait; 0 when it is unknown. */
  readonly shortestWait: number;
  readonly maxElapsedTime: number;
  /** The cap for `Retry-After`; 0: it is ignored. */
  readonly retryAfterCap: number;
  readonly classifier: Classifier;
}

const DEFAULT_MAX_ELAPSED_TIME = 900_000;

export function readRetryOptions(read: OptionsReader<RetryOptions>): RetrySettings {
  const unlimited = read.raw('maxRetries') === Infinity;
  const maxRetries = unlimited ? Infinity : (read.integer('maxRetries') ?? 3);
  const backoff = readBackoff(read, 'backoff') ?? defaultBackoff;
  const maxElapsedTime = readMaxElapsedTime(read);
  const custom = typeof read.raw('backoff') === 'function';
  const shortestWait = custom || maxRetries === 0 ? 0 : shortestOf(backoff);
  if (shortestWait > maxElapsedTime) {
    read.contradiction(
      `the first wait of backoff (at least ${shortestWait} ms) never fits into maxElapsedTime (${maxElapsedTime} ms), ` +
        'so nothing is ever retried',
    );
  }
  return {
    maxRetries,
    backoff,
    shortestWait,
    maxElapsedTime,
    retryAfterCap: readRetryAfterCap(read),
    classifier: new Classifier(readOutcomeOptions(read)),
  };
}

/** Reports a backoff whose first wait never fits into the total timeout. */
export function checkRetry(
  { shortestWait }: RetrySettings,
  { settingsOf, isInside }: Surroundings,
  report: (problem: string) => void,
): void {
  const total = settingsOf<TimeoutSettings>('timeout')?.total;
  if (total === undefined || shortestWait < total) return;
  if (!isInside('retry', 'total timeout')) return;
  report(
    `the first wait of backoff (at least ${shortestWait} ms) never fits into the total timeout (${total} ms), ` +
      'so nothing is ever retried',
  );
}

function readMaxElapsedTime(read: OptionsReader<RetryOptions>): number {
  const given = read.raw('maxElapsedTime');
  if (parseDuration(given) !== 0) {
    return read.duration('maxElapsedTime', { infinite: true }) ?? DEFAULT_MAX_ELAPSED_TIME;
  }
  read.wrong(
    'maxElapsedTime',
    given,
    `Infinity for no limit, which 0 means in cenkalti/backoff, or a duration above 0 such as '15m'`,
  );
  return DEFAULT_MAX_ELAPSED_TIME;
}

/** The first delay with the least jitter. */
function shortestOf(backoff: DelayRule): number {
  return backoff({ attempt: 1, error: undefined, previous: undefined, random: () => 0 });
}
