import { type Duration, parseDuration } from '../common/duration.js';
import type { ErrorMatcher } from '../common/outcome.js';
import { isResilienceError } from '../common/errors.js';
import type { BulkheadOptions } from './bulkhead/options.js';
import type { CircuitBreakerOptions } from './circuit-breaker/options.js';
import type { FallbackAnswer, FallbackOptions } from './fallback/options.js';
import type { TimeoutOptions } from './timeout/options.js';

/** Policies that {@link hystrix} and {@link hystrixGo} are made of. */
export interface HystrixPolicies<Fallback = FallbackAnswer> {
  readonly circuitBreaker: CircuitBreakerOptions;
  readonly bulkhead: BulkheadOptions;
  readonly timeout?: TimeoutOptions;
  readonly fallback?: Omit<FallbackOptions, 'handler'> & { readonly handler: Fallback };
}

/** Properties of a Hystrix command, with Hystrix' defaults. */
export interface HystrixSettings<Fallback = FallbackAnswer> {
  /** `circuitBreaker.requestVolumeThreshold`. Default 20. */
  readonly requestVolumeThreshold?: number;
  /** `circuitBreaker.errorThresholdPercentage`, above 0 to 100. Default 50. */
  readonly errorThresholdPercentage?: number;
  /** `circuitBreaker.sleepWindowInMilliseconds`. Default 5 s. */
  readonly sleepWindow?: Duration;
  /** `metrics.rollingStats.timeInMilliseconds`. Default 10 s. */
  readonly rollingWindow?: Duration;
  /** `metrics.rollingStats.numBuckets`. Default 10. */
  readonly rollingBuckets?: number;
  /** `execution.isolation.thread.timeoutInMilliseconds`; `false`: `execution.timeout.enabled` off. Default 1 s. */
  readonly timeout?: Duration | false;
  /** `execution.isolation.semaphore.maxConcurrentRequests`, or the pool's `coreSize`. Default 10. */
  readonly maxConcurrentRequests?: number;
  /** The pool's `maxQueueSize`. Default 0 (its −1): no queue. */
  readonly maxQueueSize?: number;
  /** What Hystrix' `HystrixBadRequestException` is for: errors that neither count nor are answered. Default: none. */
  readonly ignore?: readonly ErrorMatcher[];
  /** Whether calls that find no place count as errors, as they do in Hystrix. Default true. */
  readonly countRejections?: boolean;
  /** What answers for every error but ignored ones. */
  readonly fallback?: Fallback;
  /** `fallback.isolation.semaphore.maxConcurrentRequests`. Default 10. */
  readonly fallbackMaxConcurrentRequests?: number;
}

/**
 * Policies that behave as those of a [Hystrix](https://github.com/Netflix/Hystrix) 1.5 command: every error is a
 * failure, rejections included.
 *
 * Different on purpose: a probe decides alone, so that a success that was admitted before the circuit opened does not
 * close it; the circuit opens with the call that fills the measure instead of the next one; a call that has timed out
 * keeps its place until its work has ended.
 *
 * @example
 * resilience.command('books', { run: ({ signal }) => getBooks(signal), ...hystrix({ fallback: value([]) }) });
 */
export function hystrix<Fallback extends FallbackAnswer = never>(
  settings: HystrixSettings<Fallback> = {},
): HystrixPolicies<Fallback> {
  const { rollingWindow = '10s', rollingBuckets = 10, errorThresholdPercentage = 50 } = settings;
  return policiesOf(settings, {
    failureRate: errorThresholdPercentage / 100,
    window: { duration: rollingWindow, buckets: rollingBuckets },
  });
}

/** hystrix-go's `CommandConfig`; everything may be left out or 0, as there, for its default. */
export interface HystrixGoSettings<Fallback = FallbackAnswer> {
  /** `Timeout`. Default 1 s. */
  readonly timeout?: Duration;
  /** `MaxConcurrentRequests`. Default 10. */
  readonly maxConcurrentRequests?: number;
  /** `RequestVolumeThreshold`. Default 20. */
  readonly requestVolumeThreshold?: number;
  /** `SleepWindow`. Default 5 s. */
  readonly sleepWindow?: Duration;
  /** `ErrorPercentThreshold`, 1 to 100. Default 50. The percentage is rounded, so that 49.5 % are 50 %. */
  readonly errorPercentThreshold?: number;
  /** The fallback function of `Do` and `Go`. */
  readonly fallback?: Fallback;
}

/**
 * Policies that behave as those of a [hystrix-go](https://github.com/afex/hystrix-go) command. Different on purpose: as
 * {@link hystrix}; besides, a timeout aborts the signal of the call, and no fallback answers a call that was
 * cancelled.
 *
 * @example
 * resilience.command('my_command', { run: talkToOthers, ...hystrixGo({ timeout: 1000, fallback: () => 'down' }) });
 */
export function hystrixGo<Fallback extends FallbackAnswer = never>(
  settings: HystrixGoSettings<Fallback> = {},
): HystrixPolicies<Fallback> {
  const { fallback } = settings;
  const percent = settings.errorPercentThreshold || 50;
  const { fallback: answer, ...policies } = policiesOf(
    {
      ...(fallback !== undefined && { fallback }),
      timeout: positive(settings.timeout) ?? '1s',
      sleepWindow: positive(settings.sleepWindow) ?? '5s',
      maxConcurrentRequests: settings.maxConcurrentRequests || 10,
      requestVolumeThreshold: settings.requestVolumeThreshold || 20,
    },
    { failureRate: (percent - 0.5) / 100, window: { duration: '10s', buckets: 10 } },
  );
  if (answer === undefined) return policies;
  const { maxConcurrent: _unlimited, ...options } = answer;
  return { ...policies, fallback: options };
}

function policiesOf<Fallback>(
  settings: HystrixSettings<Fallback>,
  rates: Pick<CircuitBreakerOptions, 'failureRate' | 'window'>,
): HystrixPolicies<Fallback> {
  const { fallback, ignore = [], timeout = '1s', sleepWindow = '5s' } = settings;
  const { maxConcurrentRequests = 10, maxQueueSize = 0, requestVolumeThreshold = 20 } = settings;
  const { fallbackMaxConcurrentRequests = 10, countRejections = true } = settings;
  return {
    circuitBreaker: {
      ...rates,
      minimumCalls: requestVolumeThreshold,
      openFor: sleepWindow,
      // A probe that hangs makes room for another one after a sleep window, as there.
      halfOpen: { maxCalls: 1, successThreshold: 1, maxDuration: sleepWindow },
      maxCallDuration: Infinity,
      respectRetryAfter: false,
      on: [countRejections ? everyError : everyErrorButRejections],
      skip: ignore,
    },
    bulkhead: { maxConcurrent: maxConcurrentRequests, maxQueue: maxQueueSize },
    ...(timeout !== false && { timeout: { attempt: timeout } }),
    ...(fallback !== undefined && {
      fallback: {
        handler: fallback,
        maxConcurrent: fallbackMaxConcurrentRequests,
        on: [everyError],
        skip: ignore,
      },
    }),
  };
}

// One of each, so that equal settings make equal options.
const everyError = (): boolean => true;
const everyErrorButRejections = (error: unknown): boolean =>
  !isResilienceError(error, 'BULKHEAD_FULL');

/** As in Go, no time is the default's. */
function positive(duration: Duration | undefined): Duration | undefined {
  return duration !== undefined && parseDuration(duration) === 0 ? undefined : duration;
}
