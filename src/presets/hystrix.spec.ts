import type { ResilienceConfigurationError } from '../common/errors.js';
import { NotFoundException } from '@nestjs/common';
import { problemsOf as problemsIn } from '../../test/support/read-options.js';
import { BulkheadFullError } from '../policies/bulkhead/bulkhead-full-error.js';
import { policies } from '../policies/canonical-order.js';
import { CircuitOpenError } from '../policies/circuit-breaker/circuit-open-error.js';
import { fallbackValue } from '../policies/fallback/handler.js';
import {
  type HystrixGoSettings,
  type HystrixPolicies,
  type HystrixSettings,
  hystrix,
  hystrixGo,
} from './hystrix.js';
import type { PolicySite } from '../policies/policy.js';
import { TimeoutError } from '../policies/timeout/timeout-error.js';

const site: Partial<PolicySite> = { name: 'books', partNameOf: () => 'books', method: undefined };

/** The problems that bootstrap reports. */
function problemsOf(made: HystrixPolicies<unknown>): readonly string[] {
  return Object.entries(made).flatMap(([kind, options]) =>
    problemsIn((read) => policies.get(kind)!.read(read, site as PolicySite), options as object),
  );
}

const errors = [
  new Error('down'),
  new NotFoundException(),
  new TypeError(),
  new TimeoutError('books', 'attempt', 1),
  new CircuitOpenError('books', 1),
  'text',
  undefined,
  null,
];
const full = new BulkheadFullError('books', 'full', 1);

/** Whether these options take that error for a failure. */
const countsAs = ({ circuitBreaker }: HystrixPolicies<unknown>, error: unknown): boolean =>
  (circuitBreaker.on![0] as (error: unknown) => boolean)(error);

function thrownProblems(make: () => unknown): readonly string[] {
  try {
    make();
  } catch (error) {
    return (error as ResilienceConfigurationError).problems;
  }
  return [];
}

describe('hystrix()', () => {
  it('has the defaults of Hystrix', () => {
    expect(hystrix()).toEqual({
      circuitBreaker: {
        failureRate: 0.5,
        window: { duration: 10_000, buckets: 10 },
        minimumCalls: 20,
        openFor: 5_000,
        halfOpen: { maxCalls: 1, successThreshold: 1, maxDuration: 5_000 },
        maxCallDuration: Infinity,
        respectRetryAfter: false,
        on: [expect.any(Function)],
        ignore: [],
      },
      bulkhead: { maxConcurrent: 10, maxQueue: 0 },
      timeout: { attempt: 1_000 },
    });
  });

  it('passes its settings on', () => {
    const ignore = [TypeError];
    const made = hystrix({
      requestVolumeThreshold: 7,
      errorThresholdPercentage: 30,
      sleepWindow: '3s',
      rollingWindow: '1m',
      rollingBuckets: 6,
      timeout: 400,
      maxConcurrentRequests: 4,
      maxQueueSize: 2,
      ignore,
      fallback: fallbackValue('none'),
      fallbackMaxConcurrentRequests: 5,
    });
    expect(made).toMatchObject({
      circuitBreaker: {
        failureRate: 0.3,
        window: { duration: 60_000, buckets: 6 },
        minimumCalls: 7,
        openFor: 3_000,
        halfOpen: { maxDuration: 3_000 },
        ignore,
      },
      bulkhead: { maxConcurrent: 4, maxQueue: 2 },
      timeout: { attempt: 400 },
      fallback: { handler: fallbackValue('none'), maxConcurrent: 5, ignore },
    });
    expect(problemsOf(made)).toEqual([]);
  });

  it('has no timeout if it is false, and the default if it is undefined', () => {
    expect(hystrix({ timeout: false })).not.toHaveProperty('timeout');
    expect(hystrix({ timeout: undefined }).timeout).toEqual({ attempt: 1_000 });
  });

  it('allows ten fallbacks at a time for every error, and has none if none is given', () => {
    const { fallback } = hystrix({ fallback: fallbackValue(1) });
    expect(fallback).toEqual({
      handler: fallbackValue(1),
      maxConcurrent: 10,
      on: [expect.any(Function)],
      ignore: [],
    });
    const everyError = fallback!.on![0] as (error: unknown) => boolean;
    expect([...errors, full].map(everyError)).not.toContain(false);
    expect(hystrix()).not.toHaveProperty('fallback');
  });

  it('takes every error for a failure, including rejections unless countRejections is false', () => {
    for (const error of [...errors, full]) expect(countsAs(hystrix(), error)).toBe(true);
    const lenient = hystrix({ countRejections: false });
    for (const error of errors) expect(countsAs(lenient, error)).toBe(true);
    expect(countsAs(lenient, full)).toBe(false);
  });

  it('makes equal options of equal settings, so that two users can share a breaker', () => {
    const settings: HystrixSettings[] = [
      {},
      { ignore: [TypeError], timeout: '2s' },
      { countRejections: false, fallback: fallbackValue(1) },
    ];
    for (const each of settings) expect(hystrix({ ...each })).toStrictEqual(hystrix({ ...each }));
    expect(hystrix({ countRejections: false })).not.toEqual(hystrix());
    expect(hystrix({ ignore: [TypeError] })).not.toEqual(hystrix());
  });

  it('makes equal options when a default is given explicitly', () => {
    expect(hystrix({ sleepWindow: '5s', rollingWindow: '10s', timeout: '1s' })).toEqual(hystrix());
    expect(hystrixGo({ sleepWindow: 5_000 })).toEqual(hystrixGo());
  });

  it('reads -1 as no queue, like Hystrix', () => {
    expect(hystrix({ maxQueueSize: -1 }).bulkhead.maxQueue).toBe(0);
  });

  it('reports all problems at once, under the names of its settings', () => {
    const wrong = {
      errorThresholdPercentage: 101,
      requestVolumeThreshold: 0,
      sleepWindow: 0,
      rollingBuckets: 0,
      rollingWindow: 0,
      maxConcurrentRequests: 0,
      maxQueueSize: -2,
      timeout: 0,
      ignore: TypeError,
      countRejections: 1,
      fallbackMaxConcurrentRequests: 0,
      errorPercentThreshold: 50,
    };
    expect(thrownProblems(() => hystrix(wrong as never))).toEqual([
      'hystrix(): errorThresholdPercentage is 101; use a number above 0 and at most 100',
      expect.stringContaining('hystrix(): rollingWindow is 0; use '),
      'hystrix(): rollingBuckets is 0; use a whole number of at least 1',
      'hystrix(): requestVolumeThreshold is 0; use a whole number of at least 1',
      expect.stringContaining(`hystrix(): sleepWindow is 0; use `),
      expect.stringContaining('hystrix(): timeout is 0; use '),
      'hystrix(): maxConcurrentRequests is 0; use a whole number of at least 1',
      'hystrix(): maxQueueSize is -2; use a whole number of at least 0',
      'hystrix(): ignore is function TypeError; use a list of error classes or functions',
      'hystrix(): countRejections is 1; use true or false',
      'hystrix(): fallbackMaxConcurrentRequests is 0; use a whole number of at least 1',
      expect.stringContaining(
        'hystrix(): errorPercentThreshold is not an option; the options are ',
      ),
    ]);
    expect(thrownProblems(() => hystrix('5s' as never))).toEqual([
      `hystrix(): the settings are '5s'; use an object`,
    ]);
  });
});

describe('hystrixGo()', () => {
  it('has the defaults of hystrix-go', () => {
    const { circuitBreaker, ...rest } = hystrixGo();
    expect(circuitBreaker).toEqual({
      failureRate: 0.495,
      window: { duration: 10_000, buckets: 10 },
      minimumCalls: 20,
      openFor: 5_000,
      halfOpen: { maxCalls: 1, successThreshold: 1, maxDuration: 5_000 },
      maxCallDuration: Infinity,
      respectRetryAfter: false,
      on: [expect.any(Function)],
      ignore: [],
    });
    expect(rest).toEqual({
      bulkhead: { maxConcurrent: 10, maxQueue: 0 },
      timeout: { attempt: 1_000 },
    });
    expect(problemsOf(hystrixGo())).toEqual([]);
  });

  it.each([0, '0ms', '0s', '0h', undefined] as const)('reads %p as the default', (none) => {
    const zero = none === undefined ? undefined : 0;
    expect(
      hystrixGo({
        timeout: none,
        sleepWindow: none,
        maxConcurrentRequests: zero,
        requestVolumeThreshold: zero,
        errorPercentThreshold: zero,
      }),
    ).toStrictEqual(hystrixGo());
  });

  it('passes its settings on', () => {
    const made = hystrixGo({
      timeout: 3_000,
      sleepWindow: '1m',
      maxConcurrentRequests: 4,
      requestVolumeThreshold: 7,
      errorPercentThreshold: 25,
      fallback: fallbackValue('none'),
    });
    expect(made).toMatchObject({
      circuitBreaker: {
        failureRate: 0.245,
        minimumCalls: 7,
        openFor: 60_000,
        halfOpen: { maxDuration: 60_000 },
      },
      bulkhead: { maxConcurrent: 4 },
      timeout: { attempt: 3_000 },
      fallback: { handler: fallbackValue('none') },
    });
    expect(problemsOf(made)).toEqual([]);
  });

  it('has no limit for fallbacks, and no fallback if none is given', () => {
    expect(hystrixGo({ fallback: fallbackValue(1) }).fallback).toEqual({
      handler: fallbackValue(1),
      on: [expect.any(Function)],
      ignore: [],
    });
    expect(hystrixGo()).not.toHaveProperty('fallback');
  });

  it('takes every error for a failure, including rejections', () => {
    for (const error of [...errors, full]) expect(countsAs(hystrixGo(), error)).toBe(true);
  });

  it('makes equal options of equal settings', () => {
    const settings: HystrixGoSettings = { timeout: 5, fallback: fallbackValue(1) };
    expect(hystrixGo({ ...settings })).toStrictEqual(hystrixGo({ ...settings }));
  });

  it('rounds percentages like hystrix-go: below 0.5 there is no rate', () => {
    expect(thrownProblems(() => hystrixGo({ errorPercentThreshold: 0.4 }))).toHaveLength(1);
  });

  it('reports all problems at once, under the names of its settings', () => {
    const wrong = {
      errorPercentThreshold: 102,
      timeout: 'soon',
      sleepWindow: -5,
      maxConcurrentRequests: 0.5,
      MaxConcurrentRequests: 3,
    };
    expect(thrownProblems(() => hystrixGo(wrong as never))).toEqual([
      'hystrixGo(): errorPercentThreshold is 102; use a whole number of at least 0 and at most 100',
      expect.stringContaining('hystrixGo(): sleepWindow is -5; use '),
      expect.stringContaining(`hystrixGo(): timeout is 'soon'; use `),
      'hystrixGo(): maxConcurrentRequests is 0.5; use a whole number of at least 0',
      expect.stringContaining(
        'hystrixGo(): MaxConcurrentRequests is not an option; the options are ',
      ),
    ]);
  });
});
