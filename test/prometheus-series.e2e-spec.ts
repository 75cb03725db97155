import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Registry } from 'prom-client';
import { CircuitBreaker, Retry } from '../src/index.js';
import { RUNTIME, type Runtime } from '../src/execution/runtime.js';
import { ResiliencePrometheusModule } from '../src/prometheus/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { samplesIn } from './support/scrape.js';
import { deferred, outcome } from './support/wait.js';

// Series that come and go while an application runs. No name is known but those of the code: maxNames is 0.

afterEach(closeAll);

@Injectable()
class Books implements OnModuleInit {
  @Retry({ maxRetries: 1, backoff: () => 0, enabled: false })
  async list(): Promise<void> {
    throw new Error('down');
  }

  @CircuitBreaker({ key: (tenant: string) => tenant, maxKeys: 1, openFor: '1s' })
  async ofTenant(_tenant: string): Promise<void> {}

  @Retry({ maxRetries: 1 })
  async warmUp(): Promise<void> {}

  async onModuleInit(): Promise<void> {
    await this.warmUp();
  }
}

let booted: Booted;
let registry: Registry;

beforeEach(async () => {
  registry = new Registry();
  booted = await boot({
    providers: [Books],
    imports: [ResiliencePrometheusModule.forRoot({ registry, maxNames: 0 })],
  });
});

const at = async (series: string): Promise<number | undefined> =>
  samplesIn(await registry.metrics()).get(`resilience_${series}`);

describe('a method that is called while the application starts', () => {
  it('has series of its own', async () => {
    const labels = (name: string): string => `{name="${name}",outcome="success",source="live"}`;
    expect(await at(`calls_total${labels('Books.warmUp')}`)).toBe(1);
    expect(await at(`calls_total${labels('other')}`)).toBeUndefined();
  });
});

@Injectable()
class Magazines {
  @Retry({ maxRetries: 1 })
  async list(): Promise<void> {}

  @Retry({ maxRetries: -1 })
  async wrong(): Promise<void> {}
}

describe('a method of a module that is loaded while the application runs', () => {
  it('has its series, with 0, from the next scrape on; one that is wrong throws at its call', async () => {
    @Module({ providers: [Magazines] })
    class Lazy {}
    const series = 'retries_total{name="other"}';
    expect(await at(series)).toBeUndefined();
    const loaded = await booted.app.get(LazyModuleLoader).load(() => Lazy);
    expect(await at(series)).toBe(0);
    const names = Array.from(booted.service.descriptions(), ({ name }) => name);
    expect(names.filter((name) => name.startsWith('Magazines'))).toEqual(['Magazines.list']);
    await expect(loaded.get(Magazines).wrong()).rejects.toThrow('maxRetries is -1');
    const { planner } = booted.app.get<Runtime>(RUNTIME);
    expect(Array.from(planner.loaded())).toEqual([]); // once
  });

  it('has its series from the first scrape after all its factories have answered', async () => {
    class Papers {
      @Retry({ maxRetries: 1 })
      async list(): Promise<void> {}
    }
    const ready = deferred();
    const asked = deferred();
    const useFactory = async (): Promise<Papers> => {
      asked.resolve();
      await ready.promise;
      return new Papers();
    };
    @Module({ providers: [{ provide: 'papers', useFactory }] })
    class Lazy {}
    const names = (): string[] =>
      Array.from(booted.service.descriptions(), ({ name }) => name).filter((name) =>
        name.startsWith('Papers'),
      );
    const loading = booted.app.get(LazyModuleLoader).load(() => Lazy);
    await asked.promise;
    expect(names()).toEqual([]);
    ready.resolve();
    await loading;
    expect(names()).toEqual(['Papers.list']);
  });
});

describe('a policy that is switched on while the application runs', () => {
  it('has its series, with 0, from the next scrape on', async () => {
    expect(await at('retries_total{name="Books.list"}')).toBeUndefined();
    booted.service.configure('Books.list', { retry: { enabled: true } });
    expect(await at('retries_total{name="Books.list"}')).toBe(0);
    const call = outcome(booted.app.get(Books).list());
    await booted.clock.advance(0);
    await call;
    expect(await at('retries_total{name="Books.list"}')).toBe(1);
  });
});

describe('a key that is replaced by another one', () => {
  it('keeps its counts in the metrics', async () => {
    const { app, clock } = booted;
    const closed = 'circuit_breaker_time_in_state_seconds_total{name="other",state="closed"}';
    await app.get(Books).ofTenant('a');
    await clock.advance(3_600_000);
    expect(await at(closed)).toBe(3_600);
    await app.get(Books).ofTenant('b');
    expect(booted.registry.names()).toEqual(['Books.ofTenant[b]']);
    expect(await at(closed)).toBe(3_600);
    await clock.advance(1_000);
    expect(await at(closed)).toBe(3_601);
  });
});
