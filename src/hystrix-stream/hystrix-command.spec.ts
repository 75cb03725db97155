import type { CommandSnapshot } from '../commands/snapshot.js';
import type { BreakerSnapshot } from '../policies/circuit-breaker/snapshot.js';
import type { BreakerState, OverrideKind } from '../telemetry/events.js';
import type {
  LatencySnapshot,
  MetricsSnapshot,
  OutcomeCounts,
} from '../telemetry/metrics/snapshot.js';
import { kindsOf, others, required } from '../../test/support/hystrix.js';
import { fromBreaker, fromCommand } from './hystrix-command.js';

const noLatency: LatencySnapshot = {
  count: 0,
  mean: 0,
  min: 0,
  p25: 0,
  p50: 0,
  p75: 0,
  p90: 0,
  p95: 0,
  p99: 0,
  p99_5: 0,
  max: 0,
};

const latency: LatencySnapshot = {
  count: 100,
  mean: 12.4,
  min: 0.4,
  p25: 2.5,
  p50: 5.49,
  p75: 7.51,
  p90: 9,
  p95: 9.9,
  p99: 99.4,
  p99_5: 101.2,
  max: 250.5,
};

const counts = (
  given: Partial<Omit<OutcomeCounts, 'rejected' | 'fallback'>> & {
    rejected?: Partial<OutcomeCounts['rejected']>;
    fallback?: Partial<OutcomeCounts['fallback']>;
  } = {},
): OutcomeCounts => ({
  success: 0,
  failure: 0,
  timeout: 0,
  ignored: 0,
  ...given,
  rejected: { circuitOpen: 0, bulkheadFull: 0, other: 0, ...given.rejected },
  fallback: { success: 0, failure: 0, missing: 0, rejected: 0, ...given.fallback },
});

const metrics = (given: Partial<MetricsSnapshot> = {}): MetricsSnapshot => ({
  windowMs: 10_000,
  counts: counts(),
  concurrency: { now: 0, max: 0 },
  latencyWindowMs: 60_000,
  latency: noLatency,
  totalLatency: noLatency,
  ...given,
});

const breaker = (given: Partial<BreakerSnapshot> = {}): BreakerSnapshot => ({
  name: 'storagesvc',
  scope: 'local',
  state: 'closed',
  override: undefined,
  counts: {
    requests: 0,
    successes: 0,
    failures: 0,
    ignored: 0,
    slow: 0,
    consecutiveSuccesses: 0,
    consecutiveFailures: 0,
  },
  failureRate: 0,
  slowCallRate: 0,
  critical: false,
  generation: 0,
  stateForMs: 0,
  timeInStateMs: { closed: 0, open: 0, 'half-open': 0 },
  retryAfterMs: undefined,
  running: 0,
  rejected: 0,
  stale: 0,
  limits: { minimumCalls: 20, failureRate: 0.5, consecutiveFailures: undefined, openForMs: 5_000 },
  metrics: metrics(),
  ...given,
});

const command = (given: Partial<CommandSnapshot> = {}): CommandSnapshot => ({
  name: 'StorageClient.books',
  metrics: metrics(),
  circuitBreaker: undefined,
  bulkhead: undefined,
  attemptTimeoutMs: undefined,
  maxConcurrentFallbacks: undefined,
  ...given,
});

const bulkhead = (maxConcurrent: number) => ({
  name: 'storagesvc',
  maxConcurrent,
  maxQueue: 3,
  running: 1,
  waiting: 0,
  rejected: 7,
});

const now = Date.parse('2024-05-01T12:00:00Z');

/** One of everything, each number another. */
const full = command({
  metrics: metrics({
    counts: counts({
      success: 100,
      failure: 20,
      timeout: 7,
      ignored: 5,
      rejected: { circuitOpen: 41, bulkheadFull: 3 },
      fallback: { success: 60, failure: 11, missing: 13, rejected: 17 },
    }),
    concurrency: { now: 4, max: 9 },
    latency,
    totalLatency: { ...latency, mean: 14.5, p50: 6, max: 300 },
  }),
  circuitBreaker: breaker({
    limits: {
      minimumCalls: 30,
      failureRate: 0.285,
      consecutiveFailures: undefined,
      openForMs: 2_500,
    },
  }),
  bulkhead: bulkhead(25),
  attemptTimeoutMs: 1_500,
  maxConcurrentFallbacks: 12,
});

describe('a HystrixCommand event', () => {
  it('has each number in its place', () => {
    expect(fromCommand(full, now)).toEqual({
      type: 'HystrixCommand',
      name: 'StorageClient.books',
      group: 'StorageClient',
      currentTime: now,
      isCircuitBreakerOpen: false,
      errorPercentage: 23, // 30 of 130: 23.08
      errorCount: 20 + 7 + 3,
      requestCount: 100 + 20 + 7 + 3,
      rollingCountBadRequests: 5,
      rollingCountCollapsedRequests: 0,
      rollingCountEmit: 0,
      rollingCountExceptionsThrown: 5 + 11 + 13 + 17,
      rollingCountFailure: 20,
      rollingCountFallbackEmit: 0,
      rollingCountFallbackFailure: 11,
      rollingCountFallbackMissing: 13,
      rollingCountFallbackRejection: 17,
      rollingCountFallbackSuccess: 60,
      rollingCountResponsesFromCache: 0,
      rollingCountSemaphoreRejected: 3,
      rollingCountShortCircuited: 41,
      rollingCountSuccess: 100,
      rollingCountThreadPoolRejected: 0,
      rollingCountTimeout: 7,
      currentConcurrentExecutionCount: 4,
      rollingMaxConcurrentExecutionCount: 9,
      latencyExecute_mean: 12,
      latencyExecute: {
        '0': 0,
        '25': 3,
        '50': 5,
        '75': 8,
        '90': 9,
        '95': 10,
        '99': 99,
        '99.5': 101,
        '100': 251,
      },
      latencyTotal_mean: 15,
      latencyTotal: {
        '0': 0,
        '25': 3,
        '50': 6,
        '75': 8,
        '90': 9,
        '95': 10,
        '99': 99,
        '99.5': 101,
        '100': 300,
      },
      propertyValue_circuitBreakerRequestVolumeThreshold: 30,
      propertyValue_circuitBreakerSleepWindowInMilliseconds: 2_500,
      propertyValue_circuitBreakerErrorThresholdPercentage: 28,
      propertyValue_circuitBreakerForceOpen: false,
      propertyValue_circuitBreakerForceClosed: false,
      propertyValue_circuitBreakerEnabled: true,
      propertyValue_executionIsolationStrategy: 'SEMAPHORE',
      propertyValue_executionIsolationThreadTimeoutInMilliseconds: 1_500,
      propertyValue_executionTimeoutInMilliseconds: 1_500,
      propertyValue_executionIsolationThreadInterruptOnTimeout: true,
      propertyValue_executionIsolationThreadPoolKeyOverride: '',
      propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: 25,
      propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests: 12,
      propertyValue_metricsRollingStatisticalWindowInMilliseconds: 10_000,
      propertyValue_requestCacheEnabled: false,
      propertyValue_requestLogEnabled: false,
      reportingHosts: 1,
      threadPool: 'StorageClient',
    });
  });

  it("has its fields in Hystrix' order", () => {
    expect(Object.keys(fromCommand(full, now))).toEqual([
      'type',
      'name',
      'group',
      'currentTime',
      'isCircuitBreakerOpen',
      'errorPercentage',
      'errorCount',
      'requestCount',
      'rollingCountBadRequests',
      'rollingCountCollapsedRequests',
      'rollingCountEmit',
      'rollingCountExceptionsThrown',
      'rollingCountFailure',
      'rollingCountFallbackEmit',
      'rollingCountFallbackFailure',
      'rollingCountFallbackMissing',
      'rollingCountFallbackRejection',
      'rollingCountFallbackSuccess',
      'rollingCountResponsesFromCache',
      'rollingCountSemaphoreRejected',
      'rollingCountShortCircuited',
      'rollingCountSuccess',
      'rollingCountThreadPoolRejected',
      'rollingCountTimeout',
      'currentConcurrentExecutionCount',
      'rollingMaxConcurrentExecutionCount',
      'latencyExecute_mean',
      'latencyExecute',
      'latencyTotal_mean',
      'latencyTotal',
      'propertyValue_circuitBreakerRequestVolumeThreshold',
      'propertyValue_circuitBreakerSleepWindowInMilliseconds',
      'propertyValue_circuitBreakerErrorThresholdPercentage',
      'propertyValue_circuitBreakerForceOpen',
      'propertyValue_circuitBreakerForceClosed',
      'propertyValue_circuitBreakerEnabled',
      'propertyValue_executionIsolationStrategy',
      'propertyValue_executionIsolationThreadTimeoutInMilliseconds',
      'propertyValue_executionTimeoutInMilliseconds',
      'propertyValue_executionIsolationThreadInterruptOnTimeout',
      'propertyValue_executionIsolationThreadPoolKeyOverride',
      'propertyValue_executionIsolationSemaphoreMaxConcurrentRequests',
      'propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests',
      'propertyValue_metricsRollingStatisticalWindowInMilliseconds',
      'propertyValue_requestCacheEnabled',
      'propertyValue_requestLogEnabled',
      'reportingHosts',
      'threadPool',
    ]);
  });

  it.each([
    ['of a command with everything', fromCommand(full, now)],
    ['of a command with nothing', fromCommand(command(), now)],
    ['of a breaker', fromBreaker(breaker(), now)],
    [
      'of absent limits',
      fromCommand(
        command({
          metrics: metrics({ windowMs: Infinity, latency: { ...latency, mean: NaN } }),
          circuitBreaker: breaker({
            limits: {
              minimumCalls: Infinity,
              failureRate: undefined,
              consecutiveFailures: undefined,
              openForMs: Infinity,
            },
          }),
          bulkhead: bulkhead(Infinity),
          attemptTimeoutMs: Infinity,
          maxConcurrentFallbacks: Infinity,
        }),
        now,
      ),
    ],
  ])('%s has all fields, of the right types, none null', (_, event) => {
    const received = JSON.parse(JSON.stringify(event)) as object;
    expect(kindsOf(received)).toEqual({ ...required, ...others });
  });

  it('shows absent limits as the greatest Java int', () => {
    const event = fromCommand(command({ bulkhead: bulkhead(Infinity) }), now);
    expect(event.propertyValue_executionIsolationSemaphoreMaxConcurrentRequests).toBe(2 ** 31 - 1);
  });

  it('shows 0, false and no limits for absent policies', () => {
    expect(fromCommand(command(), now)).toMatchObject({
      isCircuitBreakerOpen: false,
      propertyValue_circuitBreakerEnabled: false,
      propertyValue_circuitBreakerForceOpen: false,
      propertyValue_circuitBreakerForceClosed: false,
      propertyValue_circuitBreakerRequestVolumeThreshold: 0,
      propertyValue_circuitBreakerSleepWindowInMilliseconds: 0,
      propertyValue_circuitBreakerErrorThresholdPercentage: 0,
      propertyValue_executionIsolationThreadTimeoutInMilliseconds: 0,
      propertyValue_executionTimeoutInMilliseconds: 0,
      propertyValue_executionIsolationThreadInterruptOnTimeout: false,
      propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: 2 ** 31 - 1,
      propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests: 2 ** 31 - 1,
    });
  });

  it('shows failures in a row as so many calls with a rate of 100 %', () => {
    const limits = {
      minimumCalls: 20,
      failureRate: undefined,
      consecutiveFailures: 3,
      openForMs: 1,
    };
    expect(fromBreaker(breaker({ limits }), now)).toMatchObject({
      propertyValue_circuitBreakerRequestVolumeThreshold: 3,
      propertyValue_circuitBreakerErrorThresholdPercentage: 100,
    });
  });

  it('of a breaker has its own counts and limits, and no timeout', () => {
    const event = fromBreaker(
      breaker({
        metrics: metrics({
          counts: counts({ success: 1, timeout: 1, rejected: { circuitOpen: 8 } }),
        }),
      }),
      now,
    );
    expect(event).toMatchObject({
      name: 'storagesvc',
      group: 'storagesvc',
      threadPool: 'storagesvc',
      currentTime: now,
      rollingCountSuccess: 1,
      rollingCountTimeout: 1,
      rollingCountShortCircuited: 8,
      errorPercentage: 50,
      propertyValue_circuitBreakerEnabled: true,
      propertyValue_circuitBreakerRequestVolumeThreshold: 20,
      propertyValue_circuitBreakerErrorThresholdPercentage: 50,
      propertyValue_circuitBreakerSleepWindowInMilliseconds: 5_000,
      propertyValue_executionTimeoutInMilliseconds: 0,
    });
  });
});

describe('the health of a command', () => {
  const healthOf = (given: Parameters<typeof counts>[0]) => {
    const event = fromCommand(command({ metrics: metrics({ counts: counts(given) }) }), now);
    return [event.errorCount, event.requestCount, event.errorPercentage];
  };

  it.each([
    ['nothing', {}, [0, 0, 0]],
    ['successes', { success: 3 }, [0, 3, 0]],
    ['failures', { failure: 3 }, [3, 3, 100]],
    ['timeouts, which are errors', { success: 1, timeout: 1 }, [1, 2, 50]],
    [
      'rejections of the bulkhead, which are errors',
      { rejected: { bulkheadFull: 2 } },
      [2, 2, 100],
    ],
    [
      'rejections of the breaker, which are not requests',
      { rejected: { circuitOpen: 9 } },
      [0, 0, 0],
    ],
    ['bad requests, which are not requests', { success: 1, ignored: 9 }, [0, 1, 0]],
    ['fallbacks, which change nothing', { failure: 1, fallback: { success: 1 } }, [1, 1, 100]],
    ['two thirds, cut off', { success: 1, failure: 2 }, [2, 3, 66]],
    ['nearly all, cut off', { success: 1, failure: 999 }, [999, 1000, 99]],
    ['29 of 100, which are not 28', { success: 71, failure: 29 }, [29, 100, 29]],
  ])('of %s', (_, given, expected) => {
    expect(healthOf(given)).toEqual(expected);
  });
});

describe('the circuit of a command', () => {
  const shown = (state: BreakerState, kind?: OverrideKind) => {
    const event = fromBreaker(breaker({ state, override: kind && { kind } }), now);
    return {
      open: event.isCircuitBreakerOpen,
      forced: [
        event.propertyValue_circuitBreakerForceOpen,
        event.propertyValue_circuitBreakerForceClosed,
      ],
    };
  };

  it.each<[BreakerState, OverrideKind | undefined, boolean, [boolean, boolean]]>([
    ['closed', undefined, false, [false, false]],
    ['open', undefined, true, [false, false]],
    ['half-open', undefined, true, [false, false]],
    ['closed', 'forced-open', true, [true, false]],
    ['closed', 'disabled', false, [false, true]],
    ['open', 'disabled', false, [false, true]],
    ['closed', 'observe-only', false, [false, false]],
    ['open', 'observe-only', true, [false, false]],
  ])('%s, override %s: open is %s, forced %j', (state, kind, open, forced) => {
    expect(shown(state, kind)).toEqual({ open, forced });
  });
});

it.each([
  ['StorageClient.books', 'StorageClient'],
  ['shop.StorageClient.books', 'shop.StorageClient'],
  ['books', 'books'],
  ['storagesvc[eu.west]', 'storagesvc'],
  ['StorageClient.books[eu.west]', 'StorageClient'],
  ['.books', '.books'],
  ['[books]', '[books]'],
])('%s belongs to the group %s', (name, group) => {
  const event = fromCommand(command({ name }), now);
  expect(event).toMatchObject({ name, group, threadPool: group });
});
