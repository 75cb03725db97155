import { settingsOf } from './read-options.js';
import type { MetricsSnapshot } from '../../src/telemetry/metrics/snapshot.js';
import { ResilienceEvents } from '../../src/telemetry/resilience-events.js';
import { ManualClock } from '../../src/testing/index.js';
import { BulkheadFullError } from '../../src/policies/bulkhead/bulkhead-full-error.js';
import { TimeoutError } from '../../src/policies/timeout/timeout-error.js';
import { CircuitBreaker } from '../../src/policies/circuit-breaker/circuit-breaker.js';
import { environmentOf } from '../../src/policies/circuit-breaker/environment.js';
import { KeyedCircuitBreakers } from '../../src/policies/circuit-breaker/keyed-circuit-breakers.js';
import {
  type CircuitBreakerOptions,
  readCircuitBreakerOptions,
} from '../../src/policies/circuit-breaker/options.js';

export const down = (): Promise<never> => Promise.reject(new Error('down'));
export const timedOut = (): TimeoutError => new TimeoutError('Books.list', 'attempt', 1);
export const full = (): BulkheadFullError => new BulkheadFullError('books', 'full', 1);

/** The result of `work` does not matter. */
export const quietly = async (work: Promise<unknown>): Promise<void> => {
  await work.catch(() => {});
};

export interface SetUp {
  readonly clock: ManualClock;
  readonly breaker: CircuitBreaker;
  readonly breakers: KeyedCircuitBreakers;
  readonly events: ResilienceEvents;
  readonly metrics: () => MetricsSnapshot;
}

export function setUp(options: CircuitBreakerOptions = {}): SetUp {
  const clock = new ManualClock();
  const events = new ResilienceEvents();
  const all: CircuitBreakerOptions = { consecutiveFailures: 2, openFor: '5s', ...options };
  const settings = settingsOf(readCircuitBreakerOptions, all);
  const environment = environmentOf({
    clock,
    random: () => 0.5,
    events,
    warn: () => {},
  });
  const create = (name: string, own = settings.breaker): CircuitBreaker =>
    new CircuitBreaker(name, own, environment);
  const breaker = create('api');
  return {
    clock,
    breaker,
    breakers: new KeyedCircuitBreakers('api', settings, create, () => {}),
    events,
    metrics: () => breaker.snapshot().metrics,
  };
}
