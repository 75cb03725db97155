import { DelayedError, type Job } from 'bullmq';
import type { Duration } from '../common/duration.js';
import { readArgument } from '../common/given.js';
import { type ResilienceError, isResilienceError } from '../common/errors.js';
import { look } from '../common/outcomes/look.js';
import { isOwnFailure } from '../common/outcomes/default-outcome.js';
import { show } from '../common/printable.js';

/** How long a job waits. */
export interface DelayOptions {
  /**
   * The shortest delay, and the delay when the wait is unknown (a circuit that is forced open). Default: 1 s.
   */
  readonly minDelay?: Duration;
}

const DEFAULT_MIN_DELAY = 1_000;

/** Codes of calls that were ended on purpose: another run is not wanted. */
const ENDED = new Set(['CANCELLED', 'CLIENT_GONE']);

/**
 * To be called with the error of a job's processor: when the error is a rejection of the library (an open circuit, a
 * full bulkhead), delays the job until it may be accepted, without using up an attempt. A timeout is not a rejection of
 * this kind: the work has been tried.
 *
 * @param token the second argument of `process()`
 * @throws {DelayedError} when the job has been delayed, which tells BullMQ to leave it
 * @throws `error` itself when it is any other error
 * @throws {TypeError} when `job` is not a job of BullMQ; its cause is `error`
 */
export async function delayWhenRejected(
  job: Job,
  token: string | undefined,
  error: unknown,
  options: DelayOptions = {},
): Promise<never> {
  if (!isTurnedAway(error)) throw error;
  if (typeof look(job, 'moveToDelayed') !== 'function') {
    throw new TypeError(
      `@DelayWhenRejected: the first argument is ${show(job)}, not a job of bullmq; decorate process()`,
      { cause: error },
    );
  }
  const least = minDelayOf(options);
  const delay = Math.max(least, known(error.retryAfterMs) ?? least);
  await job.moveToDelayed(Date.now() + delay, token);
  throw new DelayedError();
}

/** Milliseconds. @throws {TypeError} when the options are wrong */
export function minDelayOf(options: DelayOptions): number {
  return (
    readArgument('@DelayWhenRejected', options, '{ minDelay }', (read) =>
      read.duration('minDelay'),
    ) ?? DEFAULT_MIN_DELAY
  );
}

function isTurnedAway(error: unknown): error is ResilienceError {
  if (!isResilienceError(error) || isOwnFailure(error) || ENDED.has(error.code)) return false;
  return look(error, 'reason') !== 'cost'; // a rate limit never admits a call that costs more than its burst
}

function known(ms: number | undefined): number | undefined {
  return Number.isFinite(ms) ? ms : undefined;
}
