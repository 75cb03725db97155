import { type Duration, parseDuration } from '../common/duration.js';
import type { BreakerCounts, BreakerState } from '../telemetry/events.js';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker/options.js';

/** sony/gobreaker's `Counts`. */
export interface GobreakerCounts {
  /** Admitted calls. */
  readonly requests: number;
  /** Calls that have ended well. */
  readonly totalSuccesses: number;
  /** Calls that have failed. */
  readonly totalFailures: number;
  /** Calls that said nothing. */
  readonly totalExclusions: number;
  /** Successes since the last failure. */
  readonly consecutiveSuccesses: number;
  /** Failures since the last success. */
  readonly consecutiveFailures: number;
}

/** sony/gobreaker's `Settings`, with its names and defaults. */
export interface GobreakerSettings {
  /** The name of the breaker. Default: the method's. */
  readonly name?: string;
  /** Half-open: requests admitted, and successes in a row that close. Default (also for 0) 1. */
  readonly maxRequests?: number;
  /** Closed: how often the counts are cleared. Default (also for 0) never. */
  readonly interval?: Duration;
  /** Makes `interval` a rolling window of buckets this long. Default (also for 0): a fixed window. */
  readonly bucketPeriod?: Duration;
  /** How long the circuit stays open. Default (also for 0) 60 s. */
  readonly timeout?: Duration;
  /** Asked after each failure while closed. Default: more than five failures in a row. */
  readonly readyToTrip?: (counts: GobreakerCounts) => boolean;
  /** Called at each change of state. */
  readonly onStateChange?: (name: string, from: BreakerState, to: BreakerState) => void;
  /** `error` is `undefined` when the call returned. Default: every error is a failure. */
  readonly isSuccessful?: (error: unknown) => boolean;
  /** Calls that count neither way; asked before `isSuccessful`. Default: none. */
  readonly isExcluded?: (error: unknown) => boolean;
}

/**
 * Breaker options that behave as [sony/gobreaker](https://github.com/sony/gobreaker) v2 does: fixed or rolling
 * window, generations, exclusions. Different on purpose: a probe that hangs has failed after `halfOpen.maxDuration`
 * instead of blocking the breaker for ever, and listeners are called after the change.
 *
 * @example
 * \@CircuitBreaker(gobreaker({ name: 'HTTP GET', interval: '10s', timeout: '5s' }))
 */
export function gobreaker(settings: GobreakerSettings = {}): CircuitBreakerOptions {
  const {
    name,
    readyToTrip = ({ consecutiveFailures }) => consecutiveFailures > 5,
    isSuccessful = (error) => error === undefined,
    isExcluded = () => false,
    onStateChange,
  } = settings;
  const maxRequests = settings.maxRequests || 1;
  return {
    ...(name !== undefined && { name }),
    ...windowOf(settings),
    openFor: positive(settings.timeout) ?? '60s',
    halfOpen: { maxCalls: maxRequests, successThreshold: maxRequests },
    maxCallDuration: Infinity,
    respectRetryAfter: false,
    // There it is asked after failures only.
    readyToTrip: (counts) =>
      counts.consecutiveFailures > 0 && readyToTrip(toGobreakerCounts(counts)),
    classify: (error) => {
      if (isExcluded(error)) return 'ignored';
      return isSuccessful(error) ? 'success' : 'failure';
    },
    ...(onStateChange && {
      onStateChange: (change) => onStateChange(change.name, change.from, change.to),
    }),
  };
}

/** {@link BreakerCounts} under gobreaker's names. */
export function toGobreakerCounts(counts: BreakerCounts): GobreakerCounts {
  return {
    requests: counts.requests,
    totalSuccesses: counts.successes,
    totalFailures: counts.failures,
    totalExclusions: counts.ignored,
    consecutiveSuccesses: counts.consecutiveSuccesses,
    consecutiveFailures: counts.consecutiveFailures,
  };
}

/** A rolling window needs two buckets; with fewer it is a fixed one of the rounded interval. */
function windowOf({
  interval,
  bucketPeriod,
}: GobreakerSettings): Pick<CircuitBreakerOptions, 'window' | 'resetInterval'> {
  const length = positive(interval);
  const width = positive(bucketPeriod);
  if (length === undefined) return { resetInterval: Infinity };
  const lengthMs = parseDuration(length);
  const widthMs = width === undefined ? undefined : parseDuration(width);
  if (lengthMs === undefined || width === undefined) return { resetInterval: length };
  // A width that is none is left to the check at bootstrap.
  if (widthMs === undefined) return { window: { duration: length, buckets: width as number } };
  const buckets = Math.ceil(lengthMs / widthMs);
  const duration = buckets * widthMs;
  return buckets < 2
    ? { resetInterval: duration }
    : { window: { duration, buckets, countAt: 'start' } };
}

function positive(duration: Duration | undefined): Duration | undefined {
  return typeof duration === 'number' && duration <= 0 ? undefined : duration;
}
