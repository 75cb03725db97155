import { readingOf } from './reading.js';
import { type Duration, parseDuration } from '../common/duration.js';
import type { BreakerCounts, BreakerState } from '../telemetry/events.js';
import { legible } from '../common/legible.js';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker/options.js';

/** sony/gobreaker's `Counts`. */
export interface GobreakerCounts {
  /** Admitted calls. */
  readonly requests: number;
  /** Calls that have succeeded. */
  readonly totalSuccesses: number;
  /** Calls that have failed. */
  readonly totalFailures: number;
  /** Calls for which `isExcluded` returned true. */
  readonly totalExclusions: number;
  /** Successes since the last failure. */
  readonly consecutiveSuccesses: number;
  /** Failures since the last success. */
  readonly consecutiveFailures: number;
}

/** sony/gobreaker's `Settings`, with its names and defaults. */
export interface GobreakerSettings {
  /** The name of the breaker. Default: that of the pipeline, method (`Class.method`) or command. */
  readonly name?: string;
  /** Half-open: requests admitted, and successes in a row that close the circuit. Default (also for 0): 1. */
  readonly maxRequests?: number;
  /** Closed: how often the counts are cleared. Default (also for 0): never. */
  readonly interval?: Duration;
  /** Makes `interval` a rolling window of buckets this long. Default (also for 0): a fixed window. */
  readonly bucketPeriod?: Duration;
  /** How long the circuit stays open. Default (also for 0): 60 s. */
  readonly timeout?: Duration;
  /** Called after each failure while closed; opens when it returns true. Default: more than five failures in a row. */
  readonly readyToTrip?: (counts: GobreakerCounts) => boolean;
  /** Called after each change of state. */
  readonly onStateChange?: (name: string, from: BreakerState, to: BreakerState) => void;
  /** Whether a call was a success; `error` is `undefined` when it returned. Default: every error is a failure. */
  readonly isSuccessful?: (error: unknown) => boolean;
  /** Whether a call counts neither as success nor as failure; called before `isSuccessful`. Default: none. */
  readonly isExcluded?: (error: unknown) => boolean;
}

const PREDICATES = ['readyToTrip', 'isSuccessful', 'isExcluded'] as const;
const OTHERS = ['name', 'maxRequests', 'interval', 'bucketPeriod', 'timeout'] as const;

/**
 * Breaker options that behave like [sony/gobreaker](https://github.com/sony/gobreaker) v2: fixed or rolling window,
 * generations, exclusions. Intentional differences: a probe that hangs has failed after `halfOpen.maxDuration` instead of
 * blocking the breaker forever, listeners are called after the change, and a permit that is settled twice counts once.
 *
 * @throws {ResilienceConfigurationError} at once, for an unknown setting or a setting that has to be a function; wrong values
 * of other settings are reported at bootstrap
 *
 * @example
 * \@CircuitBreaker(gobreaker({ name: 'HTTP GET', interval: '10s', timeout: '5s' }))
 */
export function gobreaker(settings: GobreakerSettings = {}): CircuitBreakerOptions {
  const known = checked(settings);
  const {
    name,
    readyToTrip = ({ consecutiveFailures }) => consecutiveFailures > 5,
    isSuccessful = (error) => error === undefined,
    isExcluded = () => false,
    onStateChange,
  } = known;
  const maxRequests = known.maxRequests || 1;
  return {
    ...(name !== undefined && { name }),
    ...windowOf(known),
    openFor: positive(known.timeout) ?? '60s',
    halfOpen: { maxCalls: maxRequests, successThreshold: maxRequests },
    maxCallDuration: Infinity,
    respectRetryAfter: false,
    // gobreaker calls it after failures only.
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

function checked(given: GobreakerSettings): GobreakerSettings {
  const { read, done } = readingOf('gobreaker()', given);
  for (const setting of PREDICATES) read.synchronous(setting);
  read.function('onStateChange');
  for (const setting of OTHERS) read.raw(setting);
  done();
  return legible(given);
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
  // An invalid width is left to the check at bootstrap.
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
