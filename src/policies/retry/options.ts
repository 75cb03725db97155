import type { Duration } from '../../common/duration.js';
import type { OptionsReader } from '../../common/options-reader.js';
import { Classifier, type ResultOutcomeOptions, readOutcomeOptions } from '../../common/outcome.js';
import { type Backoff, type DelayRule, defaultBackoff, readBackoff } from '../backoff/backoff.js';

/** Options of `@Retry()`. The defaults are those of cenkalti/backoff v4, but for `maxRetries`. */
export interface RetryOptions extends ResultOutcomeOptions {
  /** Attempts after the first: 7 means at most 8 calls. `Infinity`: no limit but the time. Default 3. */
  readonly maxRetries?: number;
  /** How long to wait between attempts. Default `exponential()`: 500 ms, × 1.5, ± 50 %, at most 60 s. */
  readonly backoff?: Backoff;
  /** No retry begins later than this after the call began. `Infinity`: no limit. Default 15 min. */
  readonly maxElapsedTime?: Duration;
  /**
   * Waits at least as long as the dependency's `Retry-After` says, but no longer than this because of it.
   * `true`: at most 60 s; `false`: never looks. Default `true`.
   */
  readonly respectRetryAfter?: boolean | Duration;
  /** A named configuration of `forRoot({ configs })` to take options from. */
  readonly config?: string;
}

/** Durations in milliseconds. */
export interface RetrySettings {
  readonly maxRetries: number;
  readonly backoff: DelayRule;
  readonly maxElapsedTime: number;
  /** The longest `Retry-After` that is waited for; 0: none. */
  readonly retryAfterCap: number;
  readonly classifier: Classifier;
}

const DEFAULT_RETRY_AFTER_CAP = 60_000;

export function settleRetry(read: OptionsReader<RetryOptions>): RetrySettings {
  const unlimited = read.raw('maxRetries') === Infinity;
  return {
    maxRetries: unlimited ? Infinity : (read.integer('maxRetries') ?? 3),
    backoff: readBackoff(read, 'backoff') ?? defaultBackoff,
    maxElapsedTime: read.duration('maxElapsedTime', { infinite: true }) ?? 900_000,
    retryAfterCap: readRetryAfterCap(read),
    classifier: new Classifier(readOutcomeOptions(read)),
  };
}

/** The longest `Retry-After` to honour, milliseconds; 0 when none is to be. */
export function readRetryAfterCap(
  read: OptionsReader<{ respectRetryAfter?: boolean | Duration }>,
): number {
  const respect = read.raw('respectRetryAfter');
  if (respect === false) return 0;
  if (respect === undefined || respect === true) return DEFAULT_RETRY_AFTER_CAP;
  return read.duration('respectRetryAfter') ?? DEFAULT_RETRY_AFTER_CAP;
}
