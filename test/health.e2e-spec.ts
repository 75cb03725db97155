import { Controller, Get, Injectable } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { ResilienceHealthIndicator } from '../src/health/index.js';
import { Bulkhead, CircuitBreaker, RateLimit, ResilienceConfigurationError } from '../src/index.js';
import { ManualClock, MemoryStore } from '../src/testing/index.js';
import { type Served, boot, closeAll, serve } from './support/boot.js';

afterEach(closeAll);

/** Terminus 12 has the status `degraded`, with which the whole check is `degraded`; 11 calls that `up` and `ok`. */
const terminus = Number(
  (require('@nestjs/terminus/package.json') as { version: string }).version.split('.')[0],
);
const degraded = terminus < 12 ? 'up' : 'degraded';
const degradedInTotal = terminus < 12 ? 'ok' : 'degraded';
const flag = terminus < 12 ? { degraded: true } : {};

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly circuits: ResilienceHealthIndicator,
  ) {}

  @Get('health')
  @HealthCheck()
  all() {
    return this.health.check([() => this.circuits.check('circuits')]);
  }

  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.circuits.checkReadiness('circuits')]);
  }

  @Get('live')
  @HealthCheck()
  live() {
    return this.health.check([() => this.circuits.checkLiveness('circuits')]);
  }
}

const options = { consecutiveFailures: 1, openFor: '5s' } as const;

@Injectable()
class Clients {
  @CircuitBreaker({ ...options, name: 'reviews' })
  async reviews(fails: boolean): Promise<string> {
    return answer(fails);
  }

  @CircuitBreaker({ ...options, name: 'storage', critical: true })
  async storage(fails: boolean): Promise<string> {
    return answer(fails);
  }

  @RateLimit({ limit: 1, per: '1h' })
  async limited(): Promise<void> {}

  @Bulkhead({ maxConcurrent: 1, maxQueue: 0 })
  async crowded(): Promise<void> {
    await new Promise(() => {});
  }

  @CircuitBreaker({ ...options, name: 'tenants', key: (_fails: boolean, tenant: string) => tenant })
  async tenants(fails: boolean, _tenant: string): Promise<string> {
    return answer(fails);
  }
}

function answer(fails: boolean): string {
  if (fails) throw new Error('secret: the password is 1234');
  return 'answer';
}

interface Answer {
  readonly code: number;
  readonly status: string;
  readonly circuits: { readonly status: string } & Record<string, unknown>;
}

describe('the health of circuits', () => {
  let app: Served;
  let clients: Clients;

  beforeEach(async () => {
    app = await serve('Express', {
      imports: [TerminusModule],
      controllers: [HealthController],
      providers: [Clients, ResilienceHealthIndicator],
    });
    clients = app.app.get(Clients);
  });

  const get = async (path: 'health' | 'ready' | 'live'): Promise<Answer> => {
    const response = await fetch(`${app.url}/${path}`);
    const { status, details } = await response.json();
    return { code: response.status, status, circuits: details.circuits };
  };

  const failing = (call: (fails: boolean) => Promise<unknown>): Promise<unknown> =>
    call(true).catch((error: unknown) => error);
  const openReviews = () => failing((fails) => clients.reviews(fails));
  const openStorage = () => failing((fails) => clients.storage(fails));

  const fine = { breakers: 2, open: 0, halfOpen: 0, circuits: [], more: 0 };

  it('is up while all are closed', async () => {
    expect(await get('health')).toEqual({
      code: 200,
      status: 'ok',
      circuits: { status: 'up', ...fine },
    });
  });

  it('is degraded while one is open, and names it', async () => {
    await openReviews();
    expect(await get('health')).toEqual({
      code: 200,
      status: degradedInTotal,
      circuits: {
        ...fine,
        status: degraded,
        ...flag,
        open: 1,
        circuits: [{ name: 'reviews', state: 'open' }],
      },
    });
  });

  it('is degraded while one is half-open', async () => {
    await openReviews();
    await app.clock.advance(5_000);
    expect(await get('health')).toMatchObject({
      code: 200,
      circuits: {
        status: degraded,
        open: 0,
        halfOpen: 1,
        circuits: [{ name: 'reviews', state: 'half-open' }],
      },
    });
  });

  it('is up again when a half-open one had no call for five minutes: the next call is its probe', async () => {
    await openStorage();
    await app.clock.advance(5_000);
    await app.clock.advance(300_000);
    expect(await get('health')).toMatchObject({ circuits: { status: degraded } });
    await app.clock.advance(1);
    expect(await get('health')).toEqual({
      code: 200,
      status: 'ok',
      circuits: {
        ...fine,
        status: 'up',
        halfOpen: 1,
        circuits: [{ name: 'storage', state: 'half-open', critical: true }],
      },
    });
    await openStorage();
    expect(await get('health')).toMatchObject({ code: 503 });
    await app.clock.advance(5_000);
    expect(await get('health')).toMatchObject({ circuits: { status: degraded } });
  });

  it('is not affected by rate limits and bulkheads that reject calls', async () => {
    await clients.limited();
    await expect(clients.limited()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    void clients.crowded();
    await expect(clients.crowded()).rejects.toMatchObject({ code: 'BULKHEAD_FULL' });
    for (const path of ['health', 'ready', 'live'] as const) {
      expect(await get(path)).toMatchObject({ code: 200, circuits: { status: 'up' } });
    }
  });

  it('is up again once it has closed', async () => {
    await openReviews();
    await app.clock.advance(5_000);
    await clients.reviews(false);
    expect(await get('health')).toMatchObject({ code: 200, circuits: { status: 'up', ...fine } });
  });

  it('is degraded while one is forced open, and shows neither who did it nor why', async () => {
    const until = new Date(Date.now() + 60_000);
    app.registry.get('reviews').forceOpen({ by: 'anna', reason: 'token abc leaked', until });
    const { code, circuits } = await get('health');
    expect(code).toBe(200);
    expect(circuits).toEqual({
      ...fine,
      status: degraded,
      ...flag,
      open: 1,
      circuits: [
        {
          name: 'reviews',
          state: 'closed',
          override: 'forced-open',
          until: until.toISOString(),
        },
      ],
    });
  });

  it.each(['disabled', 'observe-only'] as const)(
    'is up while an open one is %s, since all calls are admitted, and shows the override',
    async (kind) => {
      await openStorage();
      const breaker = app.registry.get('storage');
      if (kind === 'disabled') breaker.disable();
      else breaker.observeOnly();
      expect(await get('health')).toMatchObject({
        code: 200,
        status: 'ok',
        circuits: {
          status: 'up',
          open: 0,
          circuits: [{ name: 'storage', state: 'open', critical: true, override: kind }],
        },
      });
    },
  );

  it('is down while a critical one is open', async () => {
    await openReviews();
    await openStorage();
    expect(await get('health')).toEqual({
      code: 503,
      status: 'error',
      circuits: {
        ...fine,
        status: 'down',
        open: 2,
        circuits: [
          { name: 'storage', state: 'open', critical: true },
          { name: 'reviews', state: 'open' },
        ],
      },
    });
  });

  it('is down while a critical one is forced open', async () => {
    app.registry.get('storage').forceOpen();
    expect(await get('health')).toMatchObject({ code: 503, circuits: { status: 'down' } });
  });

  it('is degraded while a critical one is half-open: without traffic no probe would close it', async () => {
    await openStorage();
    await app.clock.advance(5_000);
    expect(await get('health')).toMatchObject({ code: 200, circuits: { status: degraded } });
  });

  it('follows a change of the option at run time', async () => {
    await openReviews();
    app.registry.reconfigure('reviews', { critical: true });
    expect(await get('health')).toMatchObject({ code: 503 });
  });

  it('is degraded at worst for keys: they cannot become critical at run time either', async () => {
    expect(() => app.registry.reconfigure('tenants', { critical: true })).toThrow(
      /critical and key exclude each other/,
    );
  });

  it('is degraded at worst for readiness, and up for liveness', async () => {
    await openStorage();
    expect(await get('ready')).toMatchObject({
      code: 200,
      status: degradedInTotal,
      circuits: { status: degraded, open: 1 },
    });
    expect(await get('live')).toMatchObject({
      code: 200,
      status: 'ok',
      circuits: { status: 'up', open: 1 },
    });
  });

  it('counts keys without their names', async () => {
    await clients.tenants(false, 'acme');
    for (const tenant of ['evil', 'umbrella']) {
      await failing((fails) => clients.tenants(fails, tenant));
    }
    const { circuits } = await get('health');
    expect(circuits).toMatchObject({
      status: degraded,
      breakers: 5,
      open: 2,
      circuits: [{ name: 'tenants', state: 'open', keys: { total: 3, open: 2, halfOpen: 0 } }],
    });
    expect(JSON.stringify(circuits)).not.toMatch(/acme|evil|umbrella|secret/);
  });

  it('lists at most 20 circuits, the worst first', async () => {
    for (let i = 0; i < 30; i++) {
      const breaker = { consecutiveFailures: 1, critical: i === 29 };
      const { name } = app.service.command(`command ${i}`, {
        run: () => 1,
        circuitBreaker: breaker,
      });
      await app.service.command(name, { run: () => 1, circuitBreaker: breaker }).execute();
      app.registry.get(name).forceOpen();
    }
    const { circuits } = await get('health');
    const listed = circuits.circuits as { name: string }[];
    expect(circuits).toMatchObject({ status: 'down', open: 30, more: 10 });
    expect(listed).toHaveLength(20);
    expect(listed[0]!.name).toBe('command 29');
  });
});

describe('the store of a fleet', () => {
  it('is part of the health: degraded while it does not answer, and never down', async () => {
    const store = new MemoryStore();
    const clock = new ManualClock();
    const { url } = await serve('Express', {
      imports: [TerminusModule],
      controllers: [HealthController],
      providers: [Clients, ResilienceHealthIndicator],
      resilience: { store, clock },
    });
    const get = async (path: string): Promise<unknown> => {
      const response = await fetch(`${url}/${path}`);
      const { details } = (await response.json()) as { details: { circuits: object } };
      return { code: response.status, ...details.circuits };
    };
    expect(await get('health')).toMatchObject({
      code: 200,
      status: 'up',
      store: { kind: 'memory', status: 'up' },
    });
    store.fail();
    await clock.advance(20_000);
    const away = { store: { kind: 'memory', status: 'degraded' } };
    expect(await get('health')).toMatchObject({ code: 200, status: degraded, ...flag, ...away });
    expect(await get('ready')).toMatchObject({ code: 200, status: degraded, ...flag, ...away });
    expect(await get('live')).toMatchObject({ code: 200, status: 'up', ...away });
    store.recover();
    await clock.advance(2_000);
    expect(await get('health')).toMatchObject({ status: 'up', store: { status: 'up' } });
  });
});

describe('at bootstrap', () => {
  const problemsOf = async (parts: Parameters<typeof boot>[0]): Promise<readonly string[]> => {
    const error: unknown = await boot(parts).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    return (error as ResilienceConfigurationError).problems;
  };

  it('the indicator names missing modules', async () => {
    const parts = { providers: [ResilienceHealthIndicator] };
    expect(await problemsOf(parts)).toEqual([expect.stringContaining('import that in the module')]);
    expect(() => new ResilienceHealthIndicator()).toThrow(/ResilienceModule\.forRoot\(\)/);
  });

  it('a breaker with keys cannot be critical, nor can critical be anything but a boolean', async () => {
    class Client {
      @CircuitBreaker({ key: (tenant: string) => tenant, critical: true })
      async keyed(_tenant: string): Promise<void> {}

      @CircuitBreaker({ critical: 'yes' as never })
      async wrong(): Promise<void> {}
    }
    expect(await problemsOf({ providers: [Client] })).toEqual([
      expect.stringMatching(/^Client\.keyed @CircuitBreaker: critical and key exclude each other/),
      expect.stringMatching(/^Client\.wrong @CircuitBreaker: .*critical.*'yes'/),
    ]);
  });
});
