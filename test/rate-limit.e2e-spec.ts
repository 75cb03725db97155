import { Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  RATE_LIMIT_REGISTRY,
  RateLimit,
  RateLimitRegistry,
  RateLimitedError,
  type ResilienceModuleOptions,
  ResilienceService,
  Retry,
  Timeout,
  UsePipeline,
  composePolicies,
  constant,
  fallbackValue,
  overridesFromEnv,
  withReport,
} from '../src/index.js';
import { boot, closeAll, of } from './support/boot.js';
import { bootService, problemsOf, wrong } from './support/commands.js';
import { outcome, settle } from './support/wait.js';

afterEach(closeAll);

const limited = { code: 'RATE_LIMITED', policy: 'rateLimit', status: 429 };

describe('a rate limit', () => {
  @Injectable()
  class Api {
    ran = 0;

    @RateLimit(2)
    async plain(): Promise<number> {
      return (this.ran += 1);
    }

    @RateLimit({ limit: 1, per: '1m' })
    async slow(): Promise<number> {
      return (this.ran += 1);
    }

    @RateLimit({ name: 'waits', limit: 10, burst: 1, maxWait: '250ms' })
    async waits(): Promise<number> {
      return (this.ran += 1);
    }

    @Timeout({ total: '150ms' })
    @RateLimit({ name: 'deadline', limit: 10, burst: 1, maxWait: '1h' })
    async inTime(): Promise<number> {
      return (this.ran += 1);
    }
  }

  it('allows 100 calls per second by default', async () => {
    @Injectable()
    class ByDefault {
      @RateLimit()
      async m(): Promise<void> {}
    }
    const { app, clock } = await boot({ providers: [ByDefault] });
    const service = app.get(ByDefault);
    for (let call = 0; call < 100; call += 1) await service.m();
    await expect(service.m()).rejects.toMatchObject({ ...limited, retryAfterMs: 10 });
    await clock.advance(10);
    await service.m();
  });

  it('admits as many calls as it allows, and more later', async () => {
    const { app, clock, events } = await boot({ providers: [Api] });
    const api = app.get(Api);
    await api.plain();
    await api.plain();
    await expect(api.plain()).rejects.toMatchObject({
      ...limited,
      policyName: 'Api.plain',
      reason: 'limit',
      retryAfterMs: 500,
    });
    expect(api.ran).toBe(2);
    expect(of('rejected', events)).toEqual([
      {
        type: 'rejected',
        name: 'Api.plain',
        policy: 'rateLimit',
        code: 'RATE_LIMITED',
        retryAfterMs: 500,
      },
    ]);
    await clock.advance(500);
    await expect(api.plain()).resolves.toBe(3);
    expect(clock.pending).toBe(0);
  });

  it('applies per period', async () => {
    const { app, clock } = await boot({ providers: [Api] });
    const api = app.get(Api);
    await api.slow();
    await clock.advance(59_999);
    await expect(api.slow()).rejects.toMatchObject({ retryAfterMs: 1 });
    await clock.advance(1);
    await api.slow();
  });

  it('lets calls wait in their order, and rejects at once those that would wait too long', async () => {
    const { app, clock, events } = await boot({ providers: [Api] });
    const api = app.get(Api);
    await api.waits();
    const done: unknown[] = [];
    const calls = [1, 2].map((n) => api.waits().then((ran) => done.push([n, ran, clock.now()])));
    await settle();
    await expect(api.waits()).rejects.toMatchObject({ ...limited, retryAfterMs: 50 });
    await clock.advance(1_000);
    await Promise.all(calls);
    expect(done).toEqual([
      [1, 2, 100],
      [2, 3, 200],
    ]);
    expect(of('throttled', events)).toEqual([
      { type: 'throttled', name: 'waits', waitedMs: 100 },
      { type: 'throttled', name: 'waits', waitedMs: 200 },
    ]);
  });

  it('rejects at once a call that would wait beyond its deadline', async () => {
    const { app, clock } = await boot({ providers: [Api] });
    const api = app.get(Api);
    await api.inTime();
    const second = api.inTime();
    await settle();
    await expect(api.inTime()).rejects.toMatchObject({ ...limited, retryAfterMs: 50 });
    await clock.advance(100);
    await expect(second).resolves.toBe(2);
  });

  it('rejects waiting calls when the application closes', async () => {
    const { app } = await boot({ providers: [Api] });
    const api = app.get(Api);
    await api.waits();
    const waiting = outcome(api.waits());
    await app.close();
    expect((await waiting).error).toMatchObject({ ...limited, reason: 'closing' });
  });
});

describe('a rate limit with a name', () => {
  @Injectable()
  class Cheap {
    @RateLimit({ name: 'api', limit: 10, per: '10s', burst: 10 })
    async get(): Promise<string> {
      return 'got';
    }
  }

  @Injectable()
  class Dear {
    @RateLimit({ name: 'api', cost: 4 })
    async search(): Promise<string> {
      return 'found';
    }

    @RateLimit({ name: 'api', cost: 'weight', maxWait: '1s' })
    async weighed(words: string[]): Promise<number> {
      return words.length;
    }

    weight(words: string[]): number {
      return words.length;
    }
  }

  it.each([
    ['before', [Dear, Cheap]],
    ['after', [Cheap, Dear]],
  ])(
    'is shared by methods that only refer to it, each with its cost, defined %s them',
    async (_, providers) => {
      const { app, clock } = await boot({ providers });
      const registry = app.get(RateLimitRegistry);
      await app.get(Cheap).get();
      await app.get(Dear).search();
      await app.get(Dear).weighed(['a', 'b', 'c']);
      expect(registry.get('api').remaining).toBe(2);
      await expect(app.get(Dear).search()).rejects.toMatchObject({ policyName: 'api' });
      const waits = app.get(Dear).weighed(['a', 'b', 'c']);
      await clock.advance(1_000);
      await expect(waits).resolves.toBe(3);
      await expect(app.get(Dear).weighed([])).resolves.toBe(0);
    },
  );

  it('is described with its options even where it is only referred to', async () => {
    const { service } = await boot({ providers: [Cheap, Dear] });
    expect(service.describe(Dear, 'search').policies).toEqual([
      {
        kind: 'rateLimit',
        options: { name: 'api', limit: 10, per: '10s', burst: 10, cost: 4 },
      },
    ]);
  });

  it('always rejects a call that costs more than the burst, and says so', async () => {
    const { app } = await boot({ providers: [Cheap, Dear] });
    const many = Array.from({ length: 11 }, () => 'word');
    await expect(app.get(Dear).weighed(many)).rejects.toMatchObject({
      ...limited,
      reason: 'cost',
      retryAfterMs: undefined,
    });
  });

  it.each([[-1], [NaN], [Infinity], ['2'], [undefined]])(
    'does not accept %p as the cost of a call',
    async (cost) => {
      @Injectable()
      class S {
        ran = false;
        @RateLimit({ limit: 1, cost: () => wrong(cost) })
        async m(): Promise<void> {
          this.ran = true;
        }
      }
      const { app } = await boot({ providers: [S] });
      await expect(app.get(S).m()).rejects.toThrow(/S\.m: the cost is .*; use a number/);
      expect(app.get(S).ran).toBe(false);
    },
  );

  it('is in the registry, by class and by token', async () => {
    const { app } = await boot({ providers: [Cheap] });
    const registry = app.get(RateLimitRegistry);
    expect(app.get(RATE_LIMIT_REGISTRY)).toBe(registry);
    expect(registry.names()).toEqual(['api']);
    expect({ ...registry.get('api') }).toEqual({
      name: 'api',
      scope: 'local',
      limit: 10,
      perMs: 10_000,
      burst: 10,
      remaining: 10,
      resetMs: 0,
      waiting: 0,
      admitted: 0,
      rejected: 0,
    });
    expect(() => registry.get('apj')).toThrow('there is no rate limit "apj"; there are "api"');
  });

  it('is that of a pipeline for all its users', async () => {
    @Injectable()
    class User {
      @UsePipeline('storage')
      async one(): Promise<number> {
        return 1;
      }
      @UsePipeline('storage')
      @RateLimit({ cost: 2 })
      async two(): Promise<number> {
        return 2;
      }
    }
    const pipelines = { storage: { rateLimit: { limit: 3, per: '1m' as const } } };
    const { app, service } = await boot({ resilience: { pipelines }, providers: [User] });
    await app.get(User).one();
    await app.get(User).two();
    await expect(service.pipeline('storage').execute(() => 1)).rejects.toMatchObject({
      ...limited,
      policyName: 'storage',
    });
  });
});

describe('a rate limit by key', () => {
  @Injectable()
  class Tenants {
    @RateLimit({
      name: 'tenants',
      limit: 1,
      per: '1s',
      maxKeys: 2,
      key: (tenant: string) => tenant,
    })
    async get(tenant: string): Promise<string> {
      return tenant;
    }
  }

  it('has one limit per key', async () => {
    const { app } = await boot({ providers: [Tenants] });
    const tenants = app.get(Tenants);
    await tenants.get('a');
    await tenants.get('b');
    await expect(tenants.get('a')).rejects.toMatchObject({ policyName: 'tenants[a]' });
    expect(app.get(RateLimitRegistry).get('tenants[b]').remaining).toBe(0);
  });

  it('replaces a key that has recovered, and admits further ones when there is no room', async () => {
    const { app, clock } = await boot({ providers: [Tenants] });
    const tenants = app.get(Tenants);
    for (const tenant of ['a', 'b', 'c', 'c']) await tenants.get(tenant);
    await expect(tenants.get('a')).rejects.toMatchObject(limited);
    await clock.advance(1_000);
    await tenants.get('c');
    await expect(tenants.get('c')).rejects.toMatchObject(limited);
    expect(app.get(RateLimitRegistry).size).toBe(2);
  });
});

describe('among other policies, a rate limit', () => {
  @Injectable()
  class S {
    attempts = 0;

    @Fallback(fallbackValue('answer'))
    @Timeout({ attempt: '1s', total: '50s' })
    @RateLimit({ name: 'inner', limit: 1, per: '10s' })
    @CircuitBreaker({ name: 'shelf', consecutiveFailures: 1 })
    @Retry({ maxRetries: 5, backoff: constant(0) })
    async answered(): Promise<string> {
      this.attempts += 1;
      return 'live';
    }

    @RateLimit({ limit: 3, per: '1h' })
    @Retry({ maxRetries: 5, backoff: constant(0) })
    async retried(): Promise<never> {
      this.attempts += 1;
      throw new Error('down');
    }

    @Retry({ maxRetries: 1, backoff: constant(0), on: [RateLimitedError] })
    @RateLimit({ limit: 1, per: '10s' })
    async patient(): Promise<number> {
      return (this.attempts += 1);
    }
  }

  it('stands between the circuit breaker and the timeout of an attempt', async () => {
    const { service } = await boot({ providers: [S] });
    expect(service.describe(S, 'answered').stages).toEqual([
      'fallback',
      'total timeout',
      'retry',
      'circuit breaker',
      'rate limit',
      'attempt timeout',
    ]);
  });

  it('is neither retried nor counted by the breaker, but answered and reported', async () => {
    const { app, registry, events } = await boot({ providers: [S] });
    await expect(app.get(S).answered()).resolves.toBe('live');
    const { value, calls } = await withReport(() => app.get(S).answered());
    expect(value).toBe('answer');
    expect(calls).toMatchObject([{ attempts: 1, source: 'fallback' }]);
    expect(of('retry', events)).toEqual([]);
    const { state, metrics } = registry.get('shelf').snapshot();
    expect([state, metrics.counts.failure, metrics.counts.rejected.other]).toEqual([
      'closed',
      0,
      1,
    ]);
  });

  it('counts each attempt', async () => {
    const { app, clock } = await boot({ providers: [S] });
    const call = outcome(app.get(S).retried());
    await clock.advance(100);
    expect((await call).error).toMatchObject(limited);
    expect(app.get(S).attempts).toBe(3);
  });

  it('is waited for by a retry if so configured', async () => {
    const { app, clock } = await boot({ providers: [S] });
    await app.get(S).patient();
    const second = app.get(S).patient();
    await clock.advance(10_000);
    await expect(second).resolves.toBe(2);
  });

  it('may be a part of a composition, and stand on a class', async () => {
    const Modest = () => composePolicies(RateLimit({ limit: 1, per: '1h' }), Timeout('1s'));
    @Modest()
    class K {
      async a(): Promise<number> {
        return 1;
      }
      async b(): Promise<number> {
        return 2;
      }
    }
    const { app } = await boot({ providers: [K] });
    await app.get(K).a();
    await expect(app.get(K).b()).resolves.toBe(2);
    await expect(app.get(K).a()).rejects.toMatchObject(limited);
  });

  it('works in commands, pipelines and protected objects', async () => {
    const { service } = await bootService();
    const command = service.command('mail', {
      run: async (_context, n: number) => n,
      rateLimit: { limit: 3, per: '1h', cost: (n: number) => n },
    });
    await expect(command.execute(2)).resolves.toBe(2);
    await expect(command.execute(2)).rejects.toMatchObject({ ...limited, policyName: 'mail' });
    await expect(command.execute(1)).resolves.toBe(1);
    expect(command.snapshot().metrics.counts.rejected.other).toBe(1);
    const client = service.protect(
      { get: async (id: number) => id },
      { name: 'client', '*': { rateLimit: { limit: 1, per: '1h' } } },
    );
    await client.get(1);
    await expect(client.get(2)).rejects.toMatchObject(limited);
  });

  it('releases a command that is cancelled while it waits, and gives its turn to the next', async () => {
    const { service, clock, app } = await bootService();
    const command = service.command('mail', {
      run: async (_context, n: number) => n,
      rateLimit: { limit: 1, burst: 1, maxWait: '10s' },
    });
    await command.execute(0);
    const first = command.queue(1);
    const second = command.queue(2);
    await clock.advance(500);
    first.cancel();
    await expect(first.result).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(app.get(RateLimitRegistry).get('mail').waiting).toBe(1);
    await clock.advance(500);
    await expect(second.result).resolves.toBe(2);
  });
});

describe('the options of a rate limit', () => {
  @Injectable()
  class S {
    @RateLimit({ name: 's', limit: 10, per: '1m' })
    async m(): Promise<number> {
      return 1;
    }
  }

  it('are overridden, also by variables, and explained', async () => {
    const { service, app } = await boot({
      providers: [S],
      resilience: {
        defaults: { rateLimit: { burst: 2 } },
        overrides: overridesFromEnv({ RESILIENCE__S__M__RATE_LIMIT__LIMIT: '5' }),
      },
    });
    expect(service.describe(S, 'm').policies).toEqual([
      { kind: 'rateLimit', options: { name: 's', limit: 5, per: '1m', burst: 2 } },
    ]);
    expect(app.get(RateLimitRegistry).get('s')).toMatchObject({ limit: 5, burst: 2 });
  });

  it('may change while the application runs, and counted calls stay counted', async () => {
    const { app, clock } = await boot({ providers: [S] });
    const registry = app.get(RateLimitRegistry);
    for (let call = 0; call < 10; call++) await app.get(S).m();
    registry.reconfigure('s', { limit: 20, burst: 11 });
    await app.get(S).m();
    await expect(app.get(S).m()).rejects.toMatchObject({ retryAfterMs: 3_000 });
    app.get(ResilienceService).configure('s', { rateLimit: { maxWait: '5s' } });
    const waits = app.get(S).m();
    await clock.advance(3_000);
    await expect(waits).resolves.toBe(1);
    expect(() => registry.reconfigure('s', { limit: 0 })).toThrow(/limit.* is 0/);
    expect(registry.get('s').limit).toBe(20);
  });

  it('are checked at the start, all at once', async () => {
    class Wrong {
      @RateLimit(
        wrong({ limit: 0, per: 0, burst: 1.5, maxWait: -1, cost: 0, key: 5, maxKeys: 0, bust: 1 }),
      )
      async m(): Promise<void> {}

      @RateLimit({ limit: 10, cost: 11 })
      async dear(): Promise<void> {}

      @RateLimit({ cost: 101 })
      async dearer(): Promise<void> {}

      @RateLimit({ limit: 1, cost: 'wait' })
      async named(): Promise<void> {}
    }
    const problems = await problemsOf({ providers: [Wrong] });
    expect(problems).toEqual([
      expect.stringMatching(/^Wrong\.m @RateLimit: limit is 0; use a whole number of at least 1/),
      expect.stringMatching(/^Wrong\.m @RateLimit: per is 0/),
      expect.stringMatching(/^Wrong\.m @RateLimit: burst is 1\.5/),
      expect.stringMatching(/^Wrong\.m @RateLimit: maxWait is -1/),
      expect.stringMatching(/^Wrong\.m @RateLimit: cost is 0; use a whole number of at least 1/),
      expect.stringMatching(/^Wrong\.m @RateLimit: key is 5/),
      expect.stringMatching(/^Wrong\.m @RateLimit: maxKeys is 0/),
      expect.stringMatching(/^Wrong\.m @RateLimit: bust is not an option/),
      "Wrong.named @RateLimit: cost is 'wait'; use a whole number of at least 1, the name of a method of Wrong",
      'Wrong.dear @RateLimit: a cost of 11 is more than the burst of 10, so no call could ever be allowed; use a burst of at least 11',
      'Wrong.dearer @RateLimit: a cost of 101 is more than the burst of 100, so no call could ever be allowed; use a burst of at least 101',
    ]);
  });

  describe('a cost that the limit can never allow', () => {
    const dear = (burst: number, cost = 11): string =>
      `Dear.search @RateLimit: a cost of ${cost} is more than the burst of ${burst} of rate limit "api", so no call could ever be allowed; use a burst of at least ${cost}`;

    @Injectable()
    class Dear {
      @RateLimit({ name: 'api', cost: 11 })
      async search(): Promise<void> {}
    }

    it('is a problem where the limit is only referred to, wherever it is defined', async () => {
      @Injectable()
      class Cheap {
        @RateLimit({ name: 'api', limit: 10 })
        async get(): Promise<void> {}
      }
      expect(await problemsOf({ providers: [Dear, Cheap] })).toEqual([dear(10)]);
      expect(await problemsOf({ providers: [Cheap, Dear] })).toEqual([dear(10)]);
    });

    it.each<[string, ResilienceModuleOptions]>([
      ['configs', { configs: { api: { rateLimit: { limit: 20, burst: 10 } } } }],
      ['overrides', { overrides: { api: { rateLimit: { burst: 10 } } } }],
      ['defaults', { defaults: { rateLimit: { limit: 10 } } }],
    ])('is a problem where forRoot({ %s }) has the limit', async (_name, resilience) => {
      const problems = await problemsOf({ resilience, providers: [Dear] });
      expect(problems).toEqual([dear(10).replace(' of rate limit "api"', '')]);
    });

    it('is a problem with a limit that is defined by nothing but its period', async () => {
      class Slow {
        @RateLimit({ name: 'api', per: '1m', cost: 101 })
        async get(): Promise<void> {}
      }
      expect(await problemsOf({ providers: [Slow] })).toEqual([
        expect.stringMatching(
          /^Slow\.get @RateLimit: a cost of 101 is more than the burst of 100,/,
        ),
      ]);
    });

    it('is compared with the limit in force, not with defaults that the definition replaces', async () => {
      @Injectable()
      class Big {
        @RateLimit({ name: 'api', limit: 100 })
        async get(): Promise<void> {}
      }
      const resilience = { defaults: { rateLimit: { limit: 5 } } };
      const { app } = await boot({ resilience, providers: [Dear, Big] });
      await app.get(Dear).search();
      expect(app.get(RateLimitRegistry).get('api').remaining).toBe(89);
    });

    it('is a problem of an unused pipeline', async () => {
      const pipelines = { unused: { rateLimit: { limit: 10, cost: 11 } } };
      expect(await problemsOf({ resilience: { pipelines } })).toEqual([
        expect.stringMatching(
          /^pipeline 'unused' rateLimit: a cost of 11 is more than the burst of 10,/,
        ),
      ]);
    });

    it('is a problem of a command that comes later', async () => {
      @Injectable()
      class Cheap {
        @RateLimit({ name: 'api', limit: 10 })
        async get(): Promise<void> {}
      }
      const { service } = await boot({ providers: [Cheap] });
      const rateLimit = { name: 'api', cost: 11 };
      expect(() => service.command('late', { run: async () => {}, rateLimit })).toThrow(
        /a cost of 11 is more than the burst of 10 of rate limit "api"/,
      );
    });

    it.each(['api', 'Cheap.get'])(
      'refuses a change of %s while the application runs',
      async (target) => {
        @Injectable()
        class Cheap {
          @RateLimit({ name: 'api', limit: 20 })
          async get(): Promise<void> {}
        }
        const { app, service } = await boot({ providers: [Cheap, Dear] });
        expect(() => service.configure(target, { rateLimit: { burst: 10 } })).toThrow(dear(10));
        await app.get(Dear).search();
        expect(app.get(RateLimitRegistry).get('api').burst).toBe(20);
        service.configure(target, { rateLimit: { burst: 11 } });
        expect(app.get(RateLimitRegistry).get('api').burst).toBe(11);
      },
    );
  });

  it('have to agree among users of a limit, except cost and maxWait', async () => {
    class One {
      @RateLimit({ name: 'shared', limit: 10, cost: 2, maxWait: '1s' })
      async a(): Promise<void> {}
      @RateLimit({ name: 'shared', limit: 10, cost: 3 })
      async b(): Promise<void> {}
      @RateLimit({ name: 'shared', limit: 11 })
      async c(): Promise<void> {}
    }
    expect(await problemsOf({ providers: [One] })).toEqual([
      expect.stringMatching(/^One\.c @RateLimit: "shared" has other options .* limit is 10 there/),
    ]);
  });
});
