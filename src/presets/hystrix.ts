import type { Duration } from '../common/duration.js';
import { isResilienceError } from '../common/errors.js';
import type { OptionsReader } from '../common/options-reader.js';
import type { ErrorMatcher } from '../common/outcomes/error-matcher.js';
import type { BulkheadOptions } from '../policies/bulkhead/options.js';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker/options.js';
import type { FallbackAnswer } from '../policies/fallback/handler.js';
import type { FallbackOptions } from '../policies/fallback/options.js';
import type { TimeoutOptions } from '../policies/timeout/options.js';
import { readingOf } from './reading.js';

/** The policies that {@link hystrix} and {@link hystrixGo} return. */
export interface HystrixPolicies<Fallback = FallbackAnswer> {
  /** For the policy `circuitBreaker`. */
  readonly circuitBreaker: CircuitBreakerOptions;
  /** For the policy `bulkhead`. */
  readonly bulkhead: BulkheadOptions;
  /** For the policy `timeout`; absent when `timeout: false` was given. */
  readonly timeout?: TimeoutOptions;
  /** For the policy `fallback`; absent when no fallback was given. */
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
  /** The pool's `maxQueueSize`. Default 0: no queue; −1 means the same, as in Hystrix. */
  readonly maxQueueSize?: number;
  /** Errors that neither count nor get a fallback, like Hystrix' `HystrixBadRequestException`. Default: none. */
  readonly ignore?: readonly ErrorMatcher[];
  /** Whether calls that find the bulkhead full count as errors, as in Hystrix. Default true. */
  readonly countRejections?: boolean;
  /** Answers every error except ignored ones. Default: none. */
  readonly fallback?: Fallback;
  /** `fallback.isolation.semaphore.maxConcurrentRequests`. Default 10. */
  readonly fallbackMaxConcurrentRequests?: number;
}

/**
 * Policies that behave like those of a [Hystrix](https://github.com/Netflix/Hystrix) 1.5 command: every error is a
 * failure, rejections included.
 *
 * Intentional differences: only the probe decides, so a success that was admitted before the circuit opened does not close
 * it; the circuit opens with the call that reaches the threshold, not with the next one; a call that has timed out keeps
 * its place until its work has ended.
 *
 * @throws {ResilienceConfigurationError} at once, when a setting is wrong
 *
 * @example
 * resilience.command('books', { run: ({ signal }) => getBooks(signal), ...hystrix({ fallback: fallbackValue([]) }) });
 */
export function hystrix<Fallback extends FallbackAnswer = never>(
  settings: HystrixSettings<Fallback> = {},
): HystrixPolicies<Fallback> {
  const { read, settled } = reading('hystrix()', settings);
  const percent = read.number('errorThresholdPercentage', { above: 0, max: 100 }) ?? 50;
  const duration = read.duration('rollingWindow', { above: 0 }) ?? 10_000;
  const buckets = read.integer('rollingBuckets', { min: 1 }) ?? 10;
  return settled({
    failureRate: percent / 100,
    window: { duration, buckets },
    minimumCalls: read.integer('requestVolumeThreshold', { min: 1 }) ?? 20,
    sleepWindow: read.duration('sleepWindow', { above: 0 }) ?? 5_000,
    timeout:
      read.raw('timeout') === false ? false : (read.duration('timeout', { above: 0 }) ?? 1_000),
    maxConcurrent: read.integer('maxConcurrentRequests', { min: 1 }) ?? 10,
    maxQueue: read.raw('maxQueueSize') === -1 ? 0 : (read.integer('maxQueueSize') ?? 0),
    ignore: read.functions('ignore') ?? [],
    countRejections: read.boolean('countRejections') ?? true,
    fallback: read.raw('fallback'),
    maxConcurrentFallbacks: read.integer('fallbackMaxConcurrentRequests', { min: 1 }) ?? 10,
  });
}

/** hystrix-go's `CommandConfig`; an absent setting, or 0, means the default, as in hystrix-go. */
export interface HystrixGoSettings<Fallback = FallbackAnswer> {
  /** `Timeout`. Default 1 s. */
  readonly timeout?: Duration;
  /** `MaxConcurrentRequests`. Default 10. */
  readonly maxConcurrentRequests?: number;
  /** `RequestVolumeThreshold`. Default 20. */
  readonly requestVolumeThreshold?: number;
  /** `SleepWindow`. Default 5 s. */
  readonly sleepWindow?: Duration;
  /** `ErrorPercentThreshold`, 1 to 100. Default 50. The percentage is rounded, so 49.5 % counts as 50 %. */
  readonly errorPercentThreshold?: number;
  /** The fallback function of `Do` and `Go`. Default: none. */
  readonly fallback?: Fallback;
}

/**
 * Policies that behave like those of a [hystrix-go](https://github.com/afex/hystrix-go) command. Intentional differences:
 * those of {@link hystrix}; besides, a timeout aborts the signal of the call, and no fallback answers a call that was
 * cancelled.
 *
 * @throws {ResilienceConfigurationError} at once, when a setting is wrong
 *
 * @example
 * resilience.command('my_command', { run: talkToOthers, ...hystrixGo({ timeout: 1000, fallback: () => 'down' }) });
 */
export function hystrixGo<Fallback extends FallbackAnswer = never>(
  settings: HystrixGoSettings<Fallback> = {},
): HystrixPolicies<Fallback> {
  const { read, settled } = reading('hystrixGo()', settings);
  const percent = read.integer('errorPercentThreshold', { max: 100 }) || 50;
  return settled({
    failureRate: (percent - 0.5) / 100,
    window: { duration: 10_000, buckets: 10 },
    minimumCalls: read.integer('requestVolumeThreshold') || 20,
    sleepWindow: read.duration('sleepWindow') || 5_000,
    timeout: read.duration('timeout') || 1_000,
    maxConcurrent: read.integer('maxConcurrentRequests') || 10,
    maxQueue: 0,
    ignore: [],
    countRejections: true,
    fallback: read.raw('fallback'),
    maxConcurrentFallbacks: undefined,
  });
}

/** The values of a preset, under our names. */
interface Preset<Fallback> extends Pick<CircuitBreakerOptions, 'failureRate' | 'window'> {
  readonly minimumCalls: number;
  readonly sleepWindow: Duration;
  readonly timeout: Duration | false;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  readonly ignore: readonly ErrorMatcher[];
  readonly countRejections: boolean;
  readonly fallback: Fallback | undefined;
  readonly maxConcurrentFallbacks: number | undefined;
}

function reading<S extends object>(
  where: string,
  given: S,
): {
  readonly read: OptionsReader<S>;
  readonly settled: <Fallback>(preset: Preset<Fallback>) => HystrixPolicies<Fallback>;
} {
  const { read, done } = readingOf(where, given);
  return {
    read,
    settled: (preset) => {
      done();
      return policiesOf(preset);
    },
  };
}

function policiesOf<Fallback>({
  failureRate,
  window,
  minimumCalls,
  sleepWindow,
  timeout,
  maxConcurrent,
  maxQueue,
  ignore,
  countRejections,
  fallback,
  maxConcurrentFallbacks,
}: Preset<Fallback>): HystrixPolicies<Fallback> {
  return {
    circuitBreaker: {
      ...(failureRate !== undefined && { failureRate }),
      ...(window !== undefined && { window }),
      minimumCalls,
      openFor: sleepWindow,
      // A hanging probe blocks Hystrix' circuit forever; hystrix-go sends another probe after each sleep window. Here a
      // probe has failed after one sleep window, and the circuit is open for another.
      halfOpen: { maxCalls: 1, successThreshold: 1, maxDuration: sleepWindow },
      maxCallDuration: Infinity,
      respectRetryAfter: false,
      on: [countRejections ? everyError : everyErrorButRejections],
      ignore,
    },
    bulkhead: { maxConcurrent, maxQueue },
    ...(timeout !== false && { timeout: { attempt: timeout } }),
    ...(fallback !== undefined && {
      fallback: {
        handler: fallback,
        ...(maxConcurrentFallbacks !== undefined && { maxConcurrent: maxConcurrentFallbacks }),
        on: [everyError],
        ignore,
      },
    }),
  };
}

// Constants, so that equal settings make equal options.
const everyError = (): boolean => true;
const everyErrorButRejections = (error: unknown): boolean =>
  !isResilienceError(error, 'BULKHEAD_FULL');
