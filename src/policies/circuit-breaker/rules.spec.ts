import { ResilienceError } from '../../common/errors.js';
import { StreamResult } from '../../common/outcomes/stream-result.js';
import type { Pulse } from '../../common/pulse.js';
import { MetricEvent } from '../../telemetry/metrics/metrics.js';
import { FRAGILE, Harness, settingsOf } from '../../../test/support/breaker.js';
import { constant, exponential } from '../backoff/backoff.js';
import { isSlow, measured, outcomeOfError, outcomeOfResult } from './judgement.js';
import type { Permit } from './permit.js';

describe('a slow call', () => {
  /** A call that took so long, while the event loop stood still for a part of that. */
  const slow = (tookMs: number, lostMs: number): boolean => {
    const settings = settingsOf({ slowCallDuration: '1s' });
    const pulse: Partial<Pulse> = { lost: () => lostMs };
    return isSlow({ admittedAt: 100 } as Permit, 100 + tookMs, settings, pulse as Pulse);
  };

  it('takes longer than slowCallDuration', () => {
    expect(slow(1_000, 0)).toBe(false);
    expect(slow(1_001, 0)).toBe(true);
  });

  it('does not become slow by time in which the process could not run', () => {
    expect(slow(1_500, 500)).toBe(false);
    expect(slow(1_501, 500)).toBe(true);
  });

  it('may open the circuit without a failure', () => {
    const harness = new Harness({ slowCallRate: 0.5, slowCallDuration: '1s', minimumCalls: 3 });
    harness.take(1_001, (permit) => permit.success());
    harness.take(1_001, (permit) => permit.success());
    harness.succeed();
    expect(harness.changes).toEqual(['closed > open: slow-call-rate']);
  });
});

describe('a call that has hung', () => {
  it('has the duration for which the breaker has waited', () => {
    const harness = new Harness({ maxCallDuration: '30s' });
    harness.wait(5_000);
    harness.admit();
    harness.wait(30_000);
    expect(harness.breaker.snapshot().metrics.latency).toMatchObject({ count: 1, max: 30_000 });
  });
});

describe('a call that outlasts the window that it began in', () => {
  it('does not count: readyToTrip is not called for it', () => {
    const readyToTrip = jest.fn(() => true);
    const window = { duration: '1s', buckets: 2, countAt: 'start' } as const;
    const harness = new Harness({ readyToTrip, window });
    harness.take(2_000, (permit) => permit.failure());
    expect(readyToTrip).not.toHaveBeenCalled();
    expect(harness.breaker.state).toBe('closed');
  });
});

describe('the time that a circuit stays open', () => {
  it.each<[string, () => number, string]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'threw Error: broken',
    ],
    ['gives none', () => NaN, 'returned NaN, which is not a positive number of milliseconds'],
    [
      'never ends',
      () => Infinity,
      'returned Infinity, which is not a positive number of milliseconds',
    ],
  ])('is 5 s when its function %s, with a warning', (_what, openFor, why) => {
    const harness = new Harness({ consecutiveFailures: 1, openFor });
    harness.fail();
    expect(harness.breaker.snapshot().retryAfterMs).toBe(5_000);
    expect(harness.warnings).toEqual([
      `circuit "storagesvc": openFor ${why}; it stays open for 5000 ms`,
    ]);
  });

  it('does not depend on the error if Retry-After is ignored', () => {
    const looked = jest.fn();
    const error = Object.defineProperty(new Error('down'), 'response', { get: looked });
    const harness = new Harness({ ...FRAGILE, respectRetryAfter: false, on: [() => true] });
    harness.admit().failure(error);
    expect(harness.breaker.state).toBe('open');
    const looks = looked.mock.calls.length;
    const curious = new Harness({ ...FRAGILE, on: [() => true] });
    curious.admit().failure(error);
    expect(looked.mock.calls.length - looks).toBeGreaterThan(looks);
  });

  it('is shown as the first time of a backoff with average jitter', () => {
    const openFor = exponential({ initialDelay: '2s', jitter: 0.5 });
    expect(settingsOf({ openFor }).openForMs).toBe(2_000);
    expect(settingsOf({ openFor: () => 1_000 }).openForMs).toBeUndefined();
  });

  it('must not be 0, even as a backoff', () => {
    expect(() => settingsOf({ openFor: constant(0) })).toThrow(
      /openFor is .*; use a backoff whose first delay is above 0/,
    );
  });

  it('keeps its generation when an override comes and goes, even after resetInterval', () => {
    const harness = new Harness({ ...FRAGILE, resetInterval: 500 });
    harness.fail();
    harness.wait(700);
    const { generation } = harness.breaker.snapshot();
    harness.breaker.disable();
    harness.breaker.clearOverride();
    expect(harness.breaker.snapshot()).toMatchObject({ generation, state: 'open' });
  });
});

describe('classify', () => {
  it.each(['success', 'failure', 'ignored'] as const)(
    'may return %s for errors and results',
    (own) => {
      const { classifier } = settingsOf({ classify: () => own });
      expect(classifier.ofError(new Error('down'))).toBe(own);
      expect(classifier.ofResult('books')).toBe(own);
    },
  );

  it('is not called for a stream that has begun, which is a success', () => {
    class Stream extends StreamResult {}
    const { classifier } = settingsOf({ classify: () => 'failure' });
    expect(classifier.ofResult(new Stream())).toBe('success');
  });

  it('has no effect when it returns anything else', () => {
    const { classifier } = settingsOf({ classify: () => 'good' as never });
    expect(classifier.ofError(new Error('down'))).toBe('failure');
    expect(classifier.ofResult('books')).toBe('success');
  });
});

describe('callers that are rejected while probes run', () => {
  it('are told the time of current probes, not of an earlier one that still runs', () => {
    const halfOpen = { maxCalls: 2, maxDuration: '60s' } as const;
    const harness = new Harness({ ...FRAGILE, openFor: '20s', halfOpen });
    harness.fail();
    harness.wait(20_000);
    harness.admit();
    const failing = harness.admit();
    harness.wait(35_000);
    failing.failure();
    harness.wait(20_000);
    for (let probe = 0; probe < 2; probe++) expect(harness.admit().probe).toBe(true);
    expect(harness.isRejecting).toBe(true);
    expect(harness.of('rejected')).toMatchObject([{ retryAfterMs: 20_000 }]);
  });
});

describe('a rule that throws', () => {
  const boom = (): never => {
    throw new Error('broken');
  };

  it('has no effect: an error is a failure, a result a success', () => {
    const rule = { ofError: boom, ofResult: boom };
    expect(outcomeOfError(rule, new Error('down'))).toBe('failure');
    expect(outcomeOfResult(rule, 'books')).toBe('success');
  });

  it('does not change how an unreadable error is counted', () => {
    const error = Object.defineProperty(Object.create(ResilienceError.prototype), 'code', {
      get: boom,
    }) as unknown;
    expect(measured('failure', error, 'seen')).toBe(MetricEvent.failure);
    expect(measured('ignored', error, 'seen')).toBe(MetricEvent.ignored);
  });
});
