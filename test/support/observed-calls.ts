import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  RateLimit,
  Retry,
  Timeout,
  fallbackValue,
  staleIfError,
} from '../../src/index.js';
import type { Booted } from './boot.js';
import { MemoryCache } from './memory-cache.js';
import { type Deferred, deferred } from './wait.js';

/** The behaviour of the dependency for the next calls. */
type Plan = ('ok' | 'fails' | 'hangs')[];

/** The methods that the script calls. */
@Injectable()
export class Shop {
  readonly plan: Plan = [];
  readonly running: Deferred[] = [];

  @Fallback(fallbackValue(['none']))
  @Retry({ maxRetries: 1, backoff: () => 100 })
  @CircuitBreaker({ name: 'storage', consecutiveFailures: 3, openFor: '5s' })
  @Timeout('1s')
  async books(): Promise<string[]> {
    const next = this.plan.shift();
    if (next === 'fails') throw new Error('no connection');
    if (next === 'hangs') await new Promise(() => {});
    return ['a book'];
  }

  @Bulkhead({ name: 'reviews', maxConcurrent: 1, maxQueue: 1 })
  async reviews(): Promise<void> {
    const work = deferred();
    this.running.push(work);
    await work.promise;
  }

  @Fallback(staleIfError({ ttl: '1h' }))
  async prices(): Promise<number> {
    if (this.plan.shift() === 'fails') throw new Error('no connection');
    return 12;
  }

  @CircuitBreaker({ name: 'tenants', key: (tenant: string) => tenant })
  async tenant(_tenant: string): Promise<void> {}

  @RateLimit({ name: 'search', limit: 2, per: '2s', burst: 1, maxWait: '1s' })
  async search(): Promise<void> {}
}

export const observedParts = {
  providers: [Shop, { provide: 'CACHE_MANAGER', useFactory: () => new MemoryCache() }],
};

/** Makes the calls whose numbers {@link observed} has. */
export async function makeCalls({ app, clock }: Pick<Booted, 'app' | 'clock'>): Promise<void> {
  const shop = app.get(Shop);
  const books = async (...plan: Plan): Promise<void> => {
    shop.plan.push(...plan);
    const call = shop.books();
    for (let waits = 0; waits < 3; waits++) await clock.advance(1_000);
    await call;
  };
  await books('ok');
  await books('fails', 'ok'); // a retry saves it
  await books('fails', 'fails'); // exhausted; the fallback answers
  await books('fails'); // opens the circuit, so there is no retry
  await books(); // rejected
  await clock.advance(5_000);
  await books('ok'); // the probe
  await books('hangs', 'hangs'); // two timeouts

  const first = shop.reviews();
  const second = shop.reviews();
  await shop.reviews().catch(() => {}); // no room
  await clock.advance(500);
  shop.running[0]!.resolve();
  await first;
  shop.running[1]!.resolve();
  await second;

  await shop.prices();
  await clock.advance(60_000);
  shop.plan.push('fails');
  await shop.prices();

  await shop.search();
  const patient = shop.search();
  await shop.search().catch(() => {}); // too many
  await clock.advance(1_000);
  await patient;
}

/** Counters after {@link makeCalls}, by name and labels; all others are 0. */
export const observed: Readonly<Record<string, number>> = {
  'resilience_calls_total{name="Shop.books",outcome="success",source="live"}': 3,
  'resilience_calls_total{name="Shop.books",outcome="success",source="fallback"}': 4,
  'resilience_calls_total{name="Shop.reviews",outcome="success",source="live"}': 2,
  'resilience_calls_total{name="Shop.reviews",outcome="rejected",source="live"}': 1,
  'resilience_calls_total{name="Shop.prices",outcome="success",source="live"}': 1,
  'resilience_calls_total{name="Shop.prices",outcome="success",source="stale"}': 1,
  'resilience_calls_total{name="Shop.search",outcome="success",source="live"}': 2,
  'resilience_calls_total{name="Shop.search",outcome="rejected",source="live"}': 1,
  'resilience_attempts_total{name="Shop.search"}': 3,
  'resilience_attempts_total{name="Shop.books"}': 1 + 2 + 2 + 1 + 1 + 1 + 2,
  'resilience_attempts_total{name="Shop.reviews"}': 3,
  'resilience_attempts_total{name="Shop.prices"}': 2,
  'resilience_retries_total{name="Shop.books"}': 3,
  'resilience_retry_results_total{name="Shop.books",result="recovered"}': 1,
  'resilience_retry_results_total{name="Shop.books",result="max-retries"}': 2,
  'resilience_retry_results_total{name="Shop.books",result="circuit-open"}': 1,
  'resilience_rejections_total{name="storage",code="CIRCUIT_OPEN",observed="false"}': 1,
  'resilience_rejections_total{name="reviews",code="BULKHEAD_FULL",observed="false"}': 1,
  'resilience_rejections_total{name="search",code="RATE_LIMITED",observed="false"}': 1,
  'resilience_timeouts_total{name="Shop.books",scope="attempt"}': 2,
  'resilience_circuit_breaker_transitions_total{name="storage",from="closed",to="open"}': 1,
  'resilience_circuit_breaker_transitions_total{name="storage",from="open",to="half-open"}': 1,
  'resilience_circuit_breaker_transitions_total{name="storage",from="half-open",to="closed"}': 1,
  'resilience_circuit_breaker_probes_total{name="storage",result="success"}': 1,
  'resilience_circuit_breaker_calls_total{name="storage",slow="false"}': 1 + 2 + 2 + 1 + 1 + 2,
  'resilience_rate_limit_calls_total{name="search"}': 3,
  'resilience_fallbacks_total{name="Shop.books",handler="value",outcome="success"}': 4,
  'resilience_fallbacks_total{name="Shop.prices",handler="staleIfError",outcome="success"}': 1,
};
