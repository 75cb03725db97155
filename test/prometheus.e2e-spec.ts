import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Counter, Registry, register } from 'prom-client';
import { RateLimitRegistry, ResilienceConfigurationError } from '../src/index.js';
import { ResiliencePrometheusModule } from '../src/prometheus/index.js';
import { ManualClock, MemoryStore } from '../src/testing/index.js';
import { type Booted, appModule, boot, closeAll, of, quiet } from './support/boot.js';
import { Shop, makeCalls, observed, observedParts } from './support/observed-calls.js';
import { samplesIn } from './support/scrape.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);

const bootWith = (
  registry: Registry,
  options: Parameters<typeof ResiliencePrometheusModule.forRoot>[0] = {},
): Promise<Booted> =>
  boot({
    ...observedParts,
    imports: [ResiliencePrometheusModule.forRoot({ registry, ...options })],
  });

/** Its types know no constructor with a content type. */
function openMetrics(): Registry {
  const registry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  return registry;
}

/** An application that shares a store. */
async function bootShared(registry: Registry, clock: ManualClock, store: MemoryStore) {
  const imports = [ResiliencePrometheusModule.forRoot({ registry })];
  const booted = await boot({ imports, resilience: { clock, store } });
  await clock.advance(0);
  return booted;
}

const scrape = async (registry: Registry): Promise<Map<string, number>> =>
  samplesIn(await registry.metrics());

/** Counters of the scrape. */
const counters = (samples: Map<string, number>): [string, number][] =>
  [...samples].filter(
    ([series]) => /^\w+_total\{/.test(series) && !series.includes('time_in_state'),
  );

const passed = (clock: ManualClock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.setTimer(resolve, ms));
describe('a scrape of an instance of a fleet', () => {
  it('has the living instances, and whether the store is away', async () => {
    const clock = new ManualClock();
    const store = new MemoryStore({ clock });
    const [one, two] = [new Registry(), new Registry()];
    await bootShared(one, clock, store);
    await bootShared(two, clock, store);
    await clock.advance(20_000);
    const seen = async (): Promise<unknown[]> => {
      const samples = await scrape(one);
      return ['store_degraded', 'fleet_instances'].map((name) =>
        samples.get(`resilience_${name}{name="memory"}`),
      );
    };
    expect(await seen()).toEqual([0, 2]);
    store.fail();
    await clock.advance(40_000);
    expect(await seen()).toEqual([1, 2]);
    store.recover();
    await clock.advance(20_000);
    expect(await seen()).toEqual([0, 2]);
  });
});

describe('a scrape', () => {
  let registry: Registry;
  let booted: Booted;

  beforeEach(async () => {
    registry = new Registry();
    booted = await bootWith(registry);
  });

  it('has every series before the first call, and all are 0', async () => {
    const before = await scrape(registry);
    await makeCalls(booted);
    const after = await scrape(registry);
    expect([...before.keys()]).toEqual([...after.keys()]);
    expect([...before.keys()]).toEqual(expect.arrayContaining(Object.keys(observed)));
    expect(counters(before).filter(([, value]) => value !== 0)).toEqual([]);
  });

  it('equals the calls that were made', async () => {
    await makeCalls(booted);
    const seen = counters(await scrape(registry)).filter(([, value]) => value !== 0);
    expect(Object.fromEntries(seen)).toEqual(observed);
  });

  it('equals them without listeners to events', async () => {
    await booted.app.close();
    const { AppModule, clock } = appModule({
      ...observedParts,
      imports: [ResiliencePrometheusModule.forRoot({ registry })],
    });
    const app = await NestFactory.createApplicationContext(AppModule, quiet);
    await makeCalls({ app, clock });
    const seen = counters(await scrape(registry)).filter(([, value]) => value !== 0);
    expect(Object.fromEntries(seen)).toEqual(observed);
    await app.close();
  });

  it('has durations in seconds, waits included', async () => {
    await makeCalls(booted);
    const samples = await scrape(registry);
    const at = (series: string): number | undefined => samples.get(series);
    const books = 'name="Shop.books",outcome="success"';
    // 0 + 0.1 + 0.1 + 0 + 0 + 0 + (1 + 0.1 + 1)
    expect(at(`resilience_call_duration_seconds_sum{${books}}`)).toBeCloseTo(2.3);
    expect(at(`resilience_call_duration_seconds_count{${books}}`)).toBe(7);
    expect(at(`resilience_call_duration_seconds_bucket{le="0.001",${books}}`)).toBe(4);
    expect(at(`resilience_call_duration_seconds_bucket{le="0.1",${books}}`)).toBe(6);
    expect(at(`resilience_call_duration_seconds_bucket{le="2.5",${books}}`)).toBe(7);
    expect(at(`resilience_call_duration_seconds_bucket{le="+Inf",${books}}`)).toBe(7);
    expect(at('resilience_bulkhead_wait_duration_seconds_sum{name="reviews"}')).toBe(0.5);
    expect(at('resilience_rate_limit_wait_duration_seconds_sum{name="search"}')).toBe(1);
    expect(at('resilience_rate_limit_burst{name="search"}')).toBe(1);
    expect(at('resilience_rate_limit_remaining{name="search"}')).toBe(0);
    expect(at('resilience_rate_limit_waiting{name="search"}')).toBe(0);
    expect(at('resilience_stale_age_seconds_sum{name="Shop.prices"}')).toBe(60);
  });

  it('shows the state of a circuit, the time in it, and an override', async () => {
    const breaker = booted.registry.get('storage');
    await booted.clock.advance(1_000);
    for (let failures = 0; failures < 3; failures++) {
      await breaker.execute(() => Promise.reject(new Error())).catch(() => {});
    }
    await booted.clock.advance(2_000);
    breaker.forceOpen();
    const samples = await scrape(registry);
    const at = (series: string): number | undefined =>
      samples.get(`resilience_circuit_breaker_${series}`);
    expect(at('state{name="storage",state="closed"}')).toBe(0);
    expect(at('state{name="storage",state="open"}')).toBe(1);
    expect(at('state{name="storage",state="half-open"}')).toBe(0);
    expect(at('time_in_state_seconds_total{name="storage",state="closed"}')).toBe(1);
    expect(at('time_in_state_seconds_total{name="storage",state="open"}')).toBe(2);
    expect(at('override{name="storage",kind="forced-open"}')).toBe(1);
    expect(at('override{name="storage",kind="disabled"}')).toBe(0);
  });

  it('counts slow calls separately, and no call that says nothing about the dependency', async () => {
    const { clock, service } = booted;
    const command = service.command('report', {
      run: (_context, ms: number) => (ms < 0 ? Promise.reject(new TypeError()) : passed(clock, ms)),
      circuitBreaker: { slowCallDuration: '1s' },
    });
    for (const ms of [500, 1_500, 2_000, -1]) {
      const call = command.execute(ms).catch(() => {});
      await clock.advance(3_000);
      await call;
    }
    const samples = await scrape(registry);
    const calls = (slow: boolean): number | undefined =>
      samples.get(`resilience_circuit_breaker_calls_total{name="report",slow="${slow}"}`);
    expect([calls(true), calls(false)]).toEqual([2, 1]);
  });

  it('shows the shares of failures and of slow calls', async () => {
    const breaker = booted.registry.get('storage');
    await breaker.execute(() => Promise.reject(new Error())).catch(() => {});
    await breaker.execute(() => Promise.resolve());
    const samples = await scrape(registry);
    expect(samples.get('resilience_circuit_breaker_failure_ratio{name="storage"}')).toBe(0.5);
    expect(samples.get('resilience_circuit_breaker_slow_call_ratio{name="storage"}')).toBe(0);
  });

  it('shows places in use and calls that wait', async () => {
    const shop = booted.app.get(Shop);
    const calls = [shop.reviews(), shop.reviews()];
    const samples = await scrape(registry);
    expect(samples.get('resilience_bulkhead_limit{name="reviews"}')).toBe(1);
    expect(samples.get('resilience_bulkhead_in_use{name="reviews"}')).toBe(1);
    expect(samples.get('resilience_bulkhead_waiting{name="reviews"}')).toBe(1);
    shop.running[0]!.resolve();
    await calls[0];
    shop.running[1]!.resolve();
    await calls[1];
  });

  it('counts would-be rejections of an observe-only breaker separately', async () => {
    booted.registry.get('storage').observeOnly();
    const shop = booted.app.get(Shop);
    shop.plan.push('fails', 'fails', 'fails');
    for (let calls = 0; calls < 3; calls++) {
      const call = shop.books();
      await booted.clock.advance(100);
      await call;
    }
    const observedRejections = of('rejected', booted.events).length;
    expect(observedRejections).toBeGreaterThan(0);
    const samples = await scrape(registry);
    const rejections = (seen: boolean): number | undefined =>
      samples.get(
        `resilience_rejections_total{name="storage",code="CIRCUIT_OPEN",observed="${seen}"}`,
      );
    expect([rejections(true), rejections(false)]).toEqual([observedRejections, 0]);
  });

  it('begins the series of a command that is made later with the next scrape', async () => {
    const command = booted.service.command('later', { run: () => 1, retry: {}, bulkhead: 3 });
    const samples = await scrape(registry);
    expect(samples.get('resilience_retries_total{name="later"}')).toBe(0);
    expect(samples.get('resilience_bulkhead_limit{name="later"}')).toBe(3);
    await command.execute();
    const series = 'resilience_calls_total{name="later",outcome="success",source="live"}';
    expect((await scrape(registry)).get(series)).toBe(1);
  });

  it('shows whether the store of a fleet answers, if there is one', async () => {
    const degraded = 'resilience_store_degraded{name="memory"}';
    expect((await scrape(registry)).has(degraded)).toBe(false);
    const store = new MemoryStore();
    const clock = new ManualClock();
    const shared = new Registry();
    const imports = [ResiliencePrometheusModule.forRoot({ registry: shared })];
    await boot({ ...observedParts, imports, resilience: { store, clock } });
    expect((await scrape(shared)).get(degraded)).toBe(0);
    store.fail();
    await clock.advance(20_000);
    expect((await scrape(shared)).get(degraded)).toBe(1);
    store.recover();
    await clock.advance(2_000);
    expect((await scrape(shared)).get(degraded)).toBe(0);
  });

  it('shows how late the event loop is', async () => {
    const samples = await scrape(registry);
    for (const quantile of ['0.5', '0.99', '1']) {
      const series = `resilience_event_loop_lag_seconds{quantile="${quantile}"}`;
      expect(samples.get(series)).toBeGreaterThanOrEqual(0);
    }
  });

  it('starts over with the registry', async () => {
    await makeCalls(booted);
    registry.resetMetrics();
    const seen = counters(await scrape(registry)).filter(([, value]) => value !== 0);
    expect(seen).toEqual([]);
  });

  it.each([
    'resilience_retries_total',
    'resilience_circuit_breaker_calls_total',
    'resilience_rate_limit_calls_total',
  ])('has all counts but those of %s after a reset of that one', async (name) => {
    await makeCalls(booted);
    registry.getSingleMetric(name)!.reset();
    const seen = counters(await scrape(registry)).filter(([, value]) => value !== 0);
    const others = Object.entries(observed).filter(([series]) => !series.startsWith(`${name}{`));
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(others));
  });

  it('has the times in states after a reset of the calls of breakers', async () => {
    await booted.clock.advance(3_000);
    registry.getSingleMetric('resilience_circuit_breaker_calls_total')!.reset();
    const time = 'resilience_circuit_breaker_time_in_state_seconds_total';
    const closed = `${time}{name="storage",state="closed"}`;
    expect((await scrape(registry)).get(closed)).toBe(3);
    registry.getSingleMetric(time)!.reset();
    await booted.clock.advance(1_000);
    expect((await scrape(registry)).get(closed)).toBe(1);
  });

  it('starts over without a look at all parts for each metric', () => {
    const [breakers, limits] = [booted.registry, booted.app.get(RateLimitRegistry)];
    const lists = [breakers, limits].map((parts) => jest.spyOn(parts, 'list'));
    registry.resetMetrics();
    expect(lists.map(({ mock }) => mock.calls.length)).toEqual([2, 1]);
  });
});

describe('names that are not known at bootstrap', () => {
  it('have counters that never go down, even if keyed parts come and go', async () => {
    const registry = new Registry();
    const { clock, service } = await bootWith(registry, { maxNames: 0 });
    const command = service.command('mail', {
      run: (_context, _host: string) => 1,
      circuitBreaker: { key: (host: string) => host, maxKeys: 1 },
      rateLimit: { limit: 1, per: '1s', key: (host: string) => host, maxKeys: 1 },
    });
    const seen: number[][] = [];
    for (const host of ['a', 'a', 'b', 'a']) {
      await command.execute(host);
      await clock.advance(60_000);
      const samples = await scrape(registry);
      const at = (series: string): number => samples.get(`resilience_${series}`)!;
      seen.push([
        at('circuit_breaker_time_in_state_seconds_total{name="other",state="closed"}'),
        at('circuit_breaker_calls_total{name="other",slow="false"}'),
        at('rate_limit_calls_total{name="other"}'),
      ]);
    }
    expect(seen).toEqual([
      [60, 1, 1],
      [120, 2, 2],
      [180, 3, 3],
      [240, 4, 4],
    ]);
  });

  it('keep the counts of a part that was replaced by another key before it was scraped', async () => {
    const registry = new Registry();
    const { clock, service, registry: breakers } = await bootWith(registry, { maxNames: 0 });
    const command = service.command('mail', {
      run: (_context, _host: string) => 1,
      circuitBreaker: { key: (host: string) => host, maxKeys: 2, slowCallDuration: '1s' },
      rateLimit: { limit: 1, per: '1s', key: (host: string) => host, maxKeys: 2 },
    });
    await scrape(registry);
    for (let host = 0; host < 50; host++) {
      await command.execute(`host ${host}`);
      await command.execute(`host ${host}`).catch(() => {}); // too many
      await clock.advance(60_000);
    }
    expect(breakers.size).toBeLessThan(50);
    const samples = await scrape(registry);
    const at = (series: string): number | undefined => samples.get(`resilience_${series}`);
    expect([
      at('circuit_breaker_calls_total{name="other",slow="false"}'),
      at('rate_limit_calls_total{name="other"}'),
      at('rejections_total{name="other",code="RATE_LIMITED",observed="false"}'),
      // Two keys at a time, but in the first minute.
      at('circuit_breaker_time_in_state_seconds_total{name="other",state="closed"}'),
    ]).toEqual([50, 100, 50, 99 * 60]);
  });

  it('have series of their own up to the limit; the rest is summed', async () => {
    const registry = new Registry();
    const { app } = await bootWith(registry, { maxNames: 2 });
    const shop = app.get(Shop);
    for (const tenant of ['a', 'b', 'c', 'd']) await shop.tenant(tenant);
    const samples = await scrape(registry);
    const closed = (name: string): number | undefined =>
      samples.get(`resilience_circuit_breaker_state{name="${name}",state="closed"}`);
    expect(closed('tenants[a]')).toBe(1);
    expect(closed('tenants[b]')).toBe(1);
    expect(closed('tenants[c]')).toBeUndefined();
    expect(closed('other')).toBe(2);
    expect(closed('storage')).toBe(1);
    // The calls are those of a method, which is known.
    const calls = 'resilience_calls_total{name="Shop.tenant",outcome="success",source="live"}';
    expect(samples.get(calls)).toBe(4);
  });

  it('are escaped, whatever characters they have', async () => {
    const registry = new Registry();
    const { app } = await bootWith(registry);
    await app.get(Shop).tenant('a"b\\c\nd');
    const samples = await scrape(registry);
    const series =
      'resilience_circuit_breaker_state{name="tenants[a\\"b\\\\c\\nd]",state="closed"}';
    expect(samples.get(series)).toBe(1);
  });
});

describe('a registry', () => {
  it('is the global one by default', async () => {
    const { app } = await boot({ imports: [ResiliencePrometheusModule.forRoot()] });
    expect(await register.metrics()).toMatch(/^# TYPE resilience_calls_total counter$/m);
    await app.close();
    expect(await register.metrics()).not.toMatch(/resilience/);
  });

  it('may be shared by applications, whose equal series are summed; a counter never goes down', async () => {
    const registry = new Registry();
    const [one, other] = [await bootWith(registry), await bootWith(registry)];
    const at = async (...all: string[]): Promise<unknown[]> => {
      const samples = await scrape(registry);
      return all.map((series) => samples.get(series));
    };
    const calls = 'resilience_calls_total{name="Shop.prices",outcome="success",source="live"}';
    const durations =
      'resilience_call_duration_seconds_count{name="Shop.prices",outcome="success"}';
    const closed = 'resilience_circuit_breaker_state{name="storage",state="closed"}';
    await one.app.get(Shop).prices();
    await other.app.get(Shop).prices();
    expect(await at(calls, durations, closed)).toEqual([2, 2, 2]);
    await one.app.close();
    expect(await at(calls, durations, closed)).toEqual([2, 2, 1]);
    registry.resetMetrics();
    await other.app.get(Shop).prices();
    expect(await at(calls, durations, closed)).toEqual([1, 1, 1]);
    await other.app.close();
    expect(registry.getMetricsAsArray()).toEqual([]);
  });

  it('counts the calls that end while the application closes', async () => {
    const registry = new Registry();
    const { app } = await bootWith(registry);
    const shop = app.get(Shop);
    const [running, waiting] = [shop.reviews(), outcome(shop.reviews())];
    let samples = new Map<string, number>();
    // As a server does that waits for its requests, of which one is the last scrape.
    const beforeApplicationShutdown = async (): Promise<void> => {
      shop.running[0]!.resolve();
      await Promise.all([running, waiting]);
      samples = await scrape(registry);
    };
    Object.assign(shop, { beforeApplicationShutdown });
    await app.close();
    const calls = (ended: string): number | undefined =>
      samples.get(`resilience_calls_total{name="Shop.reviews",outcome="${ended}",source="live"}`);
    expect([calls('success'), calls('rejected')]).toEqual([1, 1]);
  });

  it('that was cleared gets the metrics of the next application', async () => {
    const registry = new Registry();
    const { app } = await bootWith(registry);
    registry.clear();
    await bootWith(registry);
    await app.close();
    expect(await registry.metrics()).toMatch(/resilience_calls_total\{/);
  });

  it('of OpenMetrics has exemplars, and counters end in _total', async () => {
    const registry = openMetrics();
    const exemplar = jest.fn<Record<string, string> | undefined, []>(() => ({ trace_id: 'abc' }));
    const { app } = await bootWith(registry, { exemplar });
    await app.get(Shop).prices();
    exemplar.mockReturnValueOnce(undefined).mockImplementation(() => {
      throw new Error('no trace');
    });
    await app.get(Shop).prices();
    await app.get(Shop).prices();
    const text = await registry.metrics();
    const bucket =
      'resilience_call_duration_seconds_bucket{le="0.001",name="Shop.prices",outcome="success"}';
    expect(text).toContain(`${bucket} 3 # {trace_id="abc"} 0 `);
    expect(text).toContain('# TYPE resilience_calls counter');
    expect(text).toContain(
      'resilience_calls_total{name="Shop.prices",outcome="success",source="live"} 3',
    );
  });

  it('has the names with a prefix if one is given', async () => {
    const registry = new Registry();
    await bootWith(registry, { prefix: 'shop_' });
    const names = registry.getMetricsAsArray().map(({ name }) => name);
    expect(names.every((name) => name.startsWith('shop_resilience_'))).toBe(true);
  });
});

describe('at bootstrap', () => {
  it('all wrong options are reported', () => {
    const wrong = { registry: {}, prefix: '1-a', maxNames: -1, exemplar: 'x', port: 1 } as never;
    expect(() => ResiliencePrometheusModule.forRoot(wrong)).toThrow(ResilienceConfigurationError);
    for (const option of ['registry', 'prefix', 'maxNames', 'exemplar', 'port']) {
      expect(() => ResiliencePrometheusModule.forRoot(wrong)).toThrow(
        new RegExp(`ResiliencePrometheusModule\\.forRoot\\(\\):.*${option}`),
      );
    }
  });

  it('an async exemplar is reported', () => {
    const exemplar = (async () => ({ trace_id: 'abc' })) as never;
    expect(() => ResiliencePrometheusModule.forRoot({ exemplar })).toThrow(
      'exemplar is an async function; use one that is not: its answer is needed at once',
    );
  });

  it('a foreign metric of the same name is reported, and nothing stays registered', async () => {
    const registry = new Registry();
    const name = 'resilience_retries_total';
    registry.registerMetric(new Counter({ name, help: 'theirs', registers: [] }));
    await expect(bootWith(registry)).rejects.toThrow(/"resilience_retries_total" already.*prefix/);
    expect(registry.getMetricsAsArray().map((metric) => metric.name)).toEqual([name]);
  });

  it('a second forRoot() to the same registry is refused, one to another registry is not', async () => {
    const to = (registry: Registry): DynamicModule =>
      ResiliencePrometheusModule.forRoot({ registry });
    const registry = new Registry();
    await expect(
      boot({
        imports: [to(registry), ResiliencePrometheusModule.forRoot({ registry, maxNames: 5 })],
      }),
    ).rejects.toThrow(/ResiliencePrometheusModule: forRoot\(\) is used twice/);
    await boot({
      imports: [to(new Registry()), ResiliencePrometheusModule.forRoot({ registry, maxNames: 5 })],
    });
  });

  it('a module that is missing, or forRoot(), is named', async () => {
    const imports = [ResiliencePrometheusModule.forRoot({ registry: new Registry() })];
    await expect(boot({ resilience: false, imports })).rejects.toThrow(
      /import ResilienceModule\.forRoot\(\) too/,
    );
    await expect(boot({ imports: [ResiliencePrometheusModule] })).rejects.toThrow(/use forRoot/);
  });
});
