import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  BulkheadRegistry,
  CircuitBreaker,
  Fallback,
  type Patch,
  ResilienceConfigurationError,
  ResilienceEvents,
  type ResilienceModuleOptions,
  ResilienceService,
  Retry,
  Timeout,
  UsePipeline,
  constant,
  fallbackValue,
} from '../src/index.js';
import { type Booted, boot, closeAll, of } from './support/boot.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);
let runs = 0;
beforeEach(() => (runs = 0));

@Injectable()
class Books {
  @Retry({ maxRetries: 1, backoff: constant('1s') })
  @CircuitBreaker({ name: 'storage', failureRate: 0.5, halfOpen: { maxCalls: 2 } })
  async list(): Promise<void> {
    runs += 1;
    throw new Error('down');
  }

  @Timeout({ attempt: '1s', total: '5s' })
  @CircuitBreaker('storage')
  async get(): Promise<void> {}

  @Bulkhead({ name: 'hosts', maxConcurrent: 1, key: 'host' })
  async from(host: string, end: Promise<void>): Promise<void> {
    await end;
    void host;
  }

  readonly prefix = 'eu';

  host(host: string): string {
    return `${this.prefix}-${host}`;
  }

  @UsePipeline('outgoing')
  async sent(): Promise<void> {}

  @Fallback(fallbackValue('secret'))
  async answered(): Promise<string> {
    throw new Error('down');
  }
}

@Injectable()
class Shops {
  @Retry({ maxRetries: 1 })
  async list(): Promise<void> {}
}

const pipelines = {
  outgoing: { timeout: '1s', bulkhead: 5 },
  unused: { retry: { maxRetries: 1 } },
};

async function start(resilience: ResilienceModuleOptions = {}): Promise<Booted> {
  return boot({ providers: [Books, Shops], resilience: { pipelines, ...resilience } as never });
}

function optionsOf({ service }: Booted, type: Function, method: string, kind: string): unknown {
  return service.describe(type, method).policies.find((policy) => policy.kind === kind)?.options;
}

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    return (error as ResilienceConfigurationError).problems;
  }
  throw new Error('was accepted');
}

describe('configure()', () => {
  it('affects calls that begin later', async () => {
    const { app, service, clock } = await start();
    service.configure('Books.list', { retry: { maxRetries: 0 } });
    await expect(app.get(Books).list()).rejects.toThrow('down');
    expect([runs, clock.pending]).toEqual([1, 0]);
  });

  it.each<[string, string, number]>([
    ['*', 'everything', 9],
    ['Books', 'a class', 9],
    ['Books.list', 'a method', 9],
    ['Shops.list', 'another method, which is not this one', 1],
  ])('accepts %s for %s', async (target, _what, maxRetries) => {
    const booted = await start();
    booted.service.configure(target, { retry: { maxRetries: 9 } });
    expect(optionsOf(booted, Books, 'list', 'retry')).toMatchObject({ maxRetries });
  });

  it('accepts the name of a pipeline for all its users, and reports problems of an unused one', async () => {
    const booted = await start();
    booted.service.configure('outgoing', { timeout: '3s' });
    expect(optionsOf(booted, Books, 'sent', 'timeout')).toEqual({ attempt: '3s' });
    const wrong = { retry: { maxRetries: -1 } };
    expect(problemsOf(() => booted.service.configure('unused', wrong))).toEqual([
      `pipeline 'unused' retry: maxRetries (from configure('unused')) is -1; use a whole number of at least 0`,
    ]);
    booted.service.configure('unused', { retry: { maxRetries: 4 } });
    expect(booted.service.pipeline('unused').describe().policies[0]!.options).toEqual({
      maxRetries: 4,
    });
  });

  it('accepts the name of a command, of a pipeline from code, and of a protected object and its methods', async () => {
    const { service } = await start();
    const command = service.command('books', { run: () => 1, timeout: '1s' });
    const pipeline = service.pipeline('mine', { timeout: '1s' });
    const store = service.protect(
      { get: () => Promise.reject<string>(new Error('down')) },
      { name: 'store', methods: { get: { circuitBreaker: { consecutiveFailures: 5 } } } },
    );
    service.configure('books', { timeout: '2s' });
    service.configure('mine', { timeout: '3s' });
    service.configure('store', { circuitBreaker: { consecutiveFailures: 2 } });
    service.configure('store.get', { circuitBreaker: { consecutiveFailures: 1 } });
    expect(command.describe().policies[0]!.options).toEqual({ attempt: '2s' });
    expect(pipeline.describe().policies[0]!.options).toEqual({ attempt: '3s' });
    await expect(store.get()).rejects.toThrow('down');
    await expect(store.get()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  });

  it('accepts fetch, even before its first use', async () => {
    const { service, events } = await start();
    service.configure('fetch', { timeout: { attempt: '3s' } });
    expect(of('configuration', events)).toHaveLength(1);
  });

  it('accepts the name of a breaker for all its users, including references', async () => {
    const booted = await start();
    const breaker = booted.registry.get('storage');
    booted.service.configure('storage', { circuitBreaker: { consecutiveFailures: 1 } });
    for (const method of ['list', 'get']) {
      expect(optionsOf(booted, Books, method, 'circuitBreaker')).toMatchObject({
        consecutiveFailures: 1,
        failureRate: 0.5,
      });
    }
    expect(booted.registry.get('storage')).toBe(breaker);
    breaker.tryAcquire()!.failure();
    expect(breaker.state).toBe('open');
  });

  it('accepts the name of a bulkhead for all its keys, including those not used yet', async () => {
    const { app, service } = await start();
    const bulkheads = app.get(BulkheadRegistry);
    const never = new Promise<void>(() => {});
    void app.get(Books).from('a', never);
    service.configure('hosts', { bulkhead: { maxConcurrent: 3 } });
    void app.get(Books).from('b', never);
    expect(['hosts[eu-a]', 'hosts[eu-b]'].map((name) => bulkheads.get(name).snapshot())).toEqual(
      Array(2).fill(expect.objectContaining({ maxConcurrent: 3, running: 1 })),
    );
  });

  it('lets the most specific target win, in any order', async () => {
    const booted = await start({ overrides: { 'Books.list': { retry: { maxRetries: 2 } } } });
    const { service } = booted;
    const retries = (): unknown =>
      (optionsOf(booted, Books, 'list', 'retry') as { maxRetries: number }).maxRetries;
    service.configure('*', { retry: { maxRetries: 3 } });
    expect(retries()).toBe(3);
    service.configure('Books.list', { retry: { maxRetries: 5 } });
    service.configure('Books', { retry: { maxRetries: 4 } });
    expect(retries()).toBe(5);
  });

  it('adds later patches to earlier ones, option by option, also inside halfOpen', async () => {
    const booted = await start();
    const { service } = booted;
    service.configure('storage', { circuitBreaker: { openFor: '9s' } });
    service.configure('storage', { circuitBreaker: { halfOpen: { successThreshold: 1 } } });
    service.configure('storage', { circuitBreaker: { openFor: undefined } as never });
    expect(optionsOf(booted, Books, 'list', 'circuitBreaker')).toMatchObject({
      openFor: '9s',
      halfOpen: { maxCalls: 2, successThreshold: 1 },
    });
  });

  it('reverts patches: of one policy, or all of a target', async () => {
    const booted = await start();
    const { service } = booted;
    const before = service.describe(Books, 'get');
    service.configure('Books.get', { timeout: { attempt: '2s' }, circuitBreaker: {} });
    service.configure('Books.get', { timeout: { total: '9s' } });
    service.configure('Books.get', { timeout: null });
    expect(service.describe(Books, 'get')).toEqual(before);
    service.configure('Books.get', { timeout: { total: '1m' } });
    service.configure('Books.get', null);
    expect(service.describe(Books, 'get')).toEqual(before);
  });

  it('switches policies off and on; a breaker stays the same, with its state', async () => {
    const { app, service, registry } = await start();
    const breaker = registry.get('storage');
    service.configure('Books', { retry: { enabled: false }, circuitBreaker: { enabled: false } });
    expect(service.describe(Books, 'list').stages).toEqual([]);
    breaker.forceOpen();
    await expect(app.get(Books).list()).rejects.toThrow('down');
    service.configure('Books', { circuitBreaker: { enabled: true } });
    expect(service.describe(Books, 'list').stages).toEqual(['circuit breaker']);
    await expect(app.get(Books).list()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(registry.get('storage')).toBe(breaker);
  });

  it('switches on what was off from the start', async () => {
    const booted = await start({ overrides: { '*': { circuitBreaker: { enabled: false } } } });
    expect(booted.registry.has('storage')).toBe(false);
    booted.service.configure('*', { circuitBreaker: { enabled: true } });
    expect(booted.registry.get('storage').snapshot().limits.failureRate).toBe(0.5);
  });

  it('applies to later commands and classes', async () => {
    const { service } = await start();
    service.configure('*', { timeout: { total: '7s' } });
    const command = service.command('later', { run: () => 1, timeout: '1s' });
    expect(command.describe().policies[0]!.options).toEqual({ attempt: '1s', total: '7s' });
  });

  it('is the same as reconfigure() of the registries', async () => {
    const { app, service, registry, events } = await start();
    registry.reconfigure('storage', { consecutiveFailures: 1 });
    app.get(BulkheadRegistry).reconfigure('outgoing', { maxConcurrent: 2 });
    expect(of('configuration', events).map(({ target, patch }) => [target, patch])).toEqual([
      ['storage', { circuitBreaker: { consecutiveFailures: 1 } }],
      ['outgoing', { bulkhead: { maxConcurrent: 2 } }],
    ]);
    service.configure('storage', null);
    expect(registry.get('storage').snapshot().limits.consecutiveFailures).toBeUndefined();
    const change = { consecutiveFailures: 0, openFor: 'soon', name: 'x' } as never;
    expect(problemsOf(() => registry.reconfigure('storage', change))).toEqual([
      expect.stringContaining('reconfigure("storage"): circuitBreaker.name cannot be changed'),
      expect.stringContaining(`consecutiveFailures (from configure('storage')) is 0`),
      expect.stringContaining(`openFor (from configure('storage')) is 'soon'`),
      ...Array.from({ length: 2 }, () => expect.any(String) as string),
    ]);
  });
});

describe('the event of configure()', () => {
  it('has target, patch, author and reason, and is emitted once', async () => {
    const { service, events } = await start();
    service.configure('Books.get', { timeout: '2s' }, { by: 'anna', reason: 'slow disk' });
    expect(events).toEqual([
      {
        type: 'configuration',
        name: 'Books.get',
        target: 'Books.get',
        patch: { timeout: { attempt: '2s' } },
        by: 'anna',
        reason: 'slow disk',
      },
    ]);
    service.configure('Books.get', null);
    expect(of('configuration', events)[1]!.patch).toBeNull();
    service.configure('Books', { retry: null });
    expect(of('configuration', events)[2]!.patch).toEqual({ retry: null });
  });

  it('has no data of users, and functions as names only', async () => {
    const { app, service, events } = await start();
    const handler = fallbackValue('classified');
    service.configure('Books.answered', { fallback: { handler, maxConcurrent: 2 } });
    service.configure('Books.list', { retry: { on: [RangeError], backoff: () => 1 } });
    expect(of('configuration', events).map(({ patch }) => patch)).toEqual([
      { fallback: { handler: '[handler]', maxConcurrent: 2 } },
      { retry: { on: ['[RangeError]'], backoff: '[backoff]' } },
    ]);
    await expect(app.get(Books).answered()).resolves.toBe('classified');
  });

  it('follows the change, even if a listener throws', async () => {
    const booted = await start();
    const seen: unknown[] = [];
    booted.service.configure('Books.get', { timeout: '2s' });
    booted.app.get(ResilienceEvents).subscribe(() => {
      seen.push(optionsOf(booted, Books, 'get', 'timeout'));
      throw new Error('listener');
    });
    booted.service.configure('Books.get', { timeout: '3s' });
    expect(seen).toEqual([{ attempt: '3s', total: '5s' }]);
  });
});

describe('a change that a listener makes during a change', () => {
  it('is made at once, and reported after it', async () => {
    const booted = await start();
    const { service, events } = booted;
    booted.app.get(ResilienceEvents).on('configuration', ({ target }) => {
      if (target !== 'Books.get') return;
      service.configure('Books', { timeout: { total: '9s' } });
      expect(optionsOf(booted, Books, 'get', 'timeout')).toEqual({ attempt: '3s', total: '5s' });
    });
    service.configure('Books.get', { timeout: '3s' });
    service.configure('Books.get', null);
    expect(optionsOf(booted, Books, 'get', 'timeout')).toEqual({ attempt: '1s', total: '9s' });
    const told = of('configuration', events).map(({ target }) => target);
    expect(told).toEqual(['Books.get', 'Books', 'Books.get', 'Books']);
  });

  it('is reverted alone if it is wrong', async () => {
    const booted = await start();
    const { service, events } = booted;
    const problems: (readonly string[])[] = [];
    booted.app.get(ResilienceEvents).on('configuration', () => {
      problems.push(problemsOf(() => service.configure('Books.get', { timeout: '0s' })));
    });
    service.configure('Books.get', { timeout: '3s' });
    expect(problems).toEqual([[expect.stringContaining('attempt')]]);
    expect(optionsOf(booted, Books, 'get', 'timeout')).toEqual({ attempt: '3s', total: '5s' });
    expect(of('configuration', events)).toHaveLength(1);
  });
});

describe('an option that a change sets to its former value', () => {
  const originOf = ({ service }: Booted): string | undefined => {
    const plan = [...service.explain()].find(({ name }) => name === 'Books.get');
    const timeout = plan?.policies.find(({ kind }) => kind === 'timeout');
    return timeout?.options.find(({ name }) => name === 'attempt')?.origin;
  };

  it('comes from the change, until it is reverted', async () => {
    const booted = await start();
    expect(originOf(booted)).toBe('decorator');
    booted.service.configure('Books.get', { timeout: { attempt: '1s' } });
    expect(originOf(booted)).toBe('live');
    booted.service.configure('Books.get', null);
    expect(originOf(booted)).toBe('decorator');
  });
});

describe('a bad patch', () => {
  const wrong: [title: string, target: unknown, patch: unknown, problems: (string | RegExp)[]][] = [
    [
      'for an unknown target',
      'Boks',
      { retry: {} },
      [
        /the patch has 'Boks', which is not a decorated class or method, a command, a pipeline, a circuit breaker, a rate limit or a bulkhead; there are \*, .*Books\.list/,
      ],
    ],
    ['for an invalid name', 5, { retry: {} }, [/the patch has 5, which is not/]],
    [
      'for one key',
      'hosts[eu-a]',
      { bulkhead: 5 },
      [/which is one key of 'hosts'; use that name, for all its keys/],
    ],
    [
      'for a policy that the target does not have',
      'Books.list',
      { bulkhead: 5 },
      [/has bulkhead, but Books.list has no such policy/],
    ],
    [
      'for another policy than that of the name',
      'storage',
      { retry: {} },
      [/has retry, but storage has no such policy/],
    ],
    [
      'for an unknown policy',
      'Books',
      { retries: {} },
      [/has "retries", which is not a policy; the policies are/],
    ],
    ['that is not an object', 'Books', 5, [/the policies are 5; use an object/]],
    ['that is missing', 'Books', undefined, [/the policies are undefined; use an object/]],
    [
      'that is false for a policy',
      'Books',
      { retry: false },
      [/retry is false; use \{ enabled: false \}/],
    ],
    [
      'that takes a policy for a word',
      'Books',
      { retry: 'often' },
      [/retry is 'often'; use an object with options/],
    ],
    [
      'that renames',
      'storage',
      { circuitBreaker: 'other' },
      [/circuitBreaker.name cannot be changed while the application runs/],
    ],
    ['that gives keys', 'hosts', { bulkhead: { key: String } }, [/bulkhead.key cannot be changed/]],
    [
      'that names a configuration',
      'Books',
      { retry: { config: 'x' } },
      [/retry.config has no effect/],
    ],
    [
      'with an unknown option',
      'Books.list',
      { retry: { tries: 1 } },
      [/Books\.list @Retry: .*tries/],
    ],
    [
      'with a contradiction of other options',
      'Books.get',
      { timeout: { attempt: '6s' } },
      [/Books\.get @Timeout: .*attempt.*total/],
    ],
    [
      'with `null` as the value of an option',
      'Books.list',
      { retry: { maxRetries: null } },
      [/maxRetries .*is null; use/],
    ],
    [
      'for one of several definitions of a part',
      'Books.get',
      { circuitBreaker: { openFor: '9s' } },
      [/Books\.get @CircuitBreaker: "storage" has other options at Books\.list/],
    ],
    [
      'with several mistakes, all told',
      'Books.list',
      { retry: { maxRetries: -1 }, circuitBreaker: { openFor: 'soon' }, bulkhead: 1, cache: {} },
      [
        /has bulkhead, but/,
        /"cache"/,
        /Books\.list @CircuitBreaker: openFor \(from configure\('Books.list'\)\) is 'soon'; use/,
        /Books\.list @Retry: maxRetries \(from configure\('Books.list'\)\) is -1; use a whole number/,
      ],
    ],
  ];

  it.each(wrong)('%s says why, and changes nothing', async (_title, target, patch, problems) => {
    const { service, events, registry } = await start();
    const shown = (): unknown => [
      ...Object.getOwnPropertyNames(Books.prototype)
        .filter((name) => name !== 'constructor' && name !== 'host')
        .map((name) => service.describe(Books, name)),
      service.describe(Shops, 'list'),
      registry.get('storage').snapshot(),
    ];
    const before = shown();
    const told = problemsOf(() => service.configure(target as string, patch as Patch));
    expect(told).toEqual(problems.map((problem) => expect.stringMatching(problem) as string));
    expect(shown()).toEqual(before);
    expect(events).toEqual([]);
    service.configure('*', { timeout: { total: '8s' } }); // nothing of it is left for later
  });

  it('is any patch before the application has started', async () => {
    let told: readonly string[] = [];
    @Injectable()
    class Early {
      constructor(service: ResilienceService) {
        told = problemsOf(() => service.configure('*', { timeout: '1s' }));
      }
    }
    await boot({ providers: [Early] });
    expect(told).toEqual([
      'configure(): the application has not started, so there is nothing to change; use forRoot({ overrides })',
    ]);
  });
});

describe('overrides in forRoot()', () => {
  it('can be for the name of a breaker or a bulkhead', async () => {
    const booted = await start({
      overrides: { storage: { circuitBreaker: { openFor: '9s' } }, hosts: { bulkhead: 4 } },
    });
    expect(optionsOf(booted, Books, 'get', 'circuitBreaker')).toMatchObject({ openFor: '9s' });
    expect(optionsOf(booted, Books, 'from', 'bulkhead')).toMatchObject({ maxConcurrent: 4 });
    const wrong = await outcome(start({ overrides: { storage: { retry: {} } } }));
    expect(String(wrong.error)).toContain('has retry, but storage has no such policy');
  });
});
