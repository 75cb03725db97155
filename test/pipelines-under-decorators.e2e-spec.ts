import { Injectable, NotFoundException } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  type Command,
  Fallback,
  Retry,
  Timeout,
  UsePipeline,
  constant,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { bootService, commandOf, down, making, problemsOf } from './support/commands.js';
import { Storage } from './support/pipelines.js';
import { Visits, deferred, outcome } from './support/wait.js';

afterEach(closeAll);

describe('decorators on top of @UsePipeline()', () => {
  const pipelines = {
    storagesvc: {
      retry: { maxRetries: 3, maxElapsedTime: '1m' },
      circuitBreaker: { halfOpen: { maxCalls: 2 } },
    },
  } as const;

  it('change single options, and add policies', async () => {
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      @Retry({ maxRetries: 1 })
      @Timeout('1s')
      @Fallback('none')
      async m(): Promise<string> {
        return 'm';
      }
      @Bulkhead(3)
      @UsePipeline('storagesvc')
      async n(): Promise<string> {
        return 'n';
      }
      none(): string {
        return 'none';
      }
    }
    const { service } = await boot({ providers: [S], resilience: { pipelines } });
    expect(service.describe(S, 'm')).toEqual({
      name: 'S.m',
      stages: ['fallback', 'retry', 'circuit breaker', 'attempt timeout'],
      policies: [
        { kind: 'retry', options: { maxRetries: 1, maxElapsedTime: '1m' } },
        { kind: 'circuitBreaker', options: { halfOpen: { maxCalls: 2 } } },
        { kind: 'fallback', options: { handler: 'none' } },
        { kind: 'timeout', options: { attempt: '1s' } },
      ],
    });
    expect(service.describe(S, 'n').stages).toEqual(['retry', 'circuit breaker', 'bulkhead']);
    expect(service.describe(S, 'n').policies[0]?.options).toEqual(pipelines.storagesvc.retry);
  });

  it('have their own parts if they add policies', async () => {
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      @Bulkhead(1)
      async m(work: () => Promise<unknown>): Promise<unknown> {
        return work();
      }
      @UsePipeline('storagesvc')
      @Bulkhead(2)
      async n(): Promise<void> {}
    }
    const { app, bulkheads, registry } = await bootService({ pipelines }, { providers: [S] });
    expect([...bulkheads].map(({ name }) => name).sort()).toEqual(['S.m', 'S.n']);
    expect(registry.names()).toEqual(['storagesvc']);
    const work = deferred();
    const running = app.get(S).m(() => work.promise);
    await app.get(S).n();
    expect([bulkheads.get('S.m').running, bulkheads.get('S.n').running]).toEqual([1, 0]);
    work.resolve();
    await running;
  });

  it('may be on a class, too', async () => {
    @Injectable()
    @UsePipeline('storagesvc')
    @Retry({ maxRetries: 2 })
    class S {
      async m(): Promise<void> {}
      @Retry({ maxRetries: 1 })
      async n(): Promise<void> {}
    }
    const { service } = await boot({ providers: [S], resilience: { pipelines } });
    const retries = ['m', 'n'].map((method) => service.describe(S, method).policies[0]?.options);
    expect(retries).toEqual([
      { maxRetries: 2, maxElapsedTime: '1m' },
      { maxRetries: 1, maxElapsedTime: '1m' },
    ]);
  });

  it('are in force', async () => {
    const visits = new Visits();
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      @Retry({ backoff: constant('1s'), on: [NotFoundException] })
      async m(): Promise<never> {
        visits.visit();
        throw new NotFoundException();
      }
    }
    const { app, clock } = await boot({ providers: [S], resilience: { pipelines } });
    const call = outcome(app.get(S).m());
    await clock.advance(3_000);
    await call;
    expect(visits.count).toBe(4);
  });

  it('like options of a command', async () => {
    const { service } = await bootService({ pipelines });
    const command = commandOf(service, {
      pipeline: 'storagesvc',
      retry: { maxRetries: 0 },
      timeout: '1s',
      circuitBreaker: { halfOpen: { maxCalls: 2 } },
    });
    expect(command.describe()).toMatchObject({
      stages: ['retry', 'circuit breaker', 'attempt timeout'],
      policies: [
        { kind: 'retry', options: { maxRetries: 0, maxElapsedTime: '1m' } },
        { kind: 'circuitBreaker', options: { halfOpen: { maxCalls: 2 } } },
        { kind: 'timeout', options: { attempt: '1s' } },
      ],
    });
    await expect(command.execute(down)).rejects.toThrow('down');
  });

  @Injectable()
  class Lenient {
    @UsePipeline('storagesvc')
    @CircuitBreaker({ openFor: '1s', halfOpen: { successThreshold: 5 } })
    async m(): Promise<void> {}
  }
  @Injectable()
  class Plain {
    @UsePipeline('storagesvc')
    async m(): Promise<void> {}
  }
  @Injectable()
  class Apart {
    @UsePipeline('storagesvc')
    @CircuitBreaker({ name: 'apart', openFor: '1s' })
    async m(): Promise<void> {}
  }

  it('may change options of a shared part where there is one user', async () => {
    const { registry, service } = await boot({ providers: [Lenient], resilience: { pipelines } });
    expect(service.describe(Lenient, 'm').policies[1]?.options).toEqual({
      openFor: '1s',
      halfOpen: { maxCalls: 2, successThreshold: 5 },
    });
    expect(registry.get('storagesvc').snapshot().limits.openForMs).toBe(1_000);
  });

  it.each([
    [
      'another method',
      [Lenient, Plain],
      'Plain.m @CircuitBreaker',
      'Lenient.m @CircuitBreaker',
      '1s',
      undefined,
    ],
    [
      'another method, the other way round',
      [Plain, Lenient],
      'Lenient.m @CircuitBreaker',
      'Plain.m @CircuitBreaker',
      undefined,
      '1s',
    ],
    [
      'a command',
      [Lenient, making((service) => commandOf(service, { pipeline: 'storagesvc' }))],
      `command 'books' circuitBreaker`,
      'Lenient.m @CircuitBreaker',
      '1s',
      undefined,
    ],
    [
      'code',
      [Lenient, making((service) => service.pipeline('storagesvc'))],
      `pipeline 'storagesvc' circuitBreaker`,
      'Lenient.m @CircuitBreaker',
      '1s',
      undefined,
    ],
  ])('may not where another user shares it: %s', async (_, providers, where, there, one, two) => {
    const problems = await problemsOf({ providers, resilience: { pipelines } });
    expect(problems).toEqual([
      expect.stringContaining(`${where}: "storagesvc" has other options at ${there}: `),
    ]);
    const shown = [one, two].map((time) => (time === undefined ? 'undefined' : `'${time}'`));
    expect(problems[0]).toContain(`openFor is ${shown[0]} there and ${shown[1]} here`);
    expect(problems[0]).toContain('use the same ones, or put them into forRoot({ configs })');
  });

  it('may change them if the part gets a name of its own', async () => {
    const { registry } = await boot({ providers: [Plain, Apart], resilience: { pipelines } });
    expect(registry.names().sort()).toEqual(['apart', 'storagesvc']);
    expect(registry.get('apart').snapshot().limits.openForMs).toBe(1_000);
    expect(registry.get('storagesvc').snapshot().limits.openForMs).toBe(5_000);
  });

  it('a name alone defines a part of the other options of the pipeline, and may conflict', async () => {
    @Injectable()
    class Named {
      @UsePipeline('storagesvc')
      @CircuitBreaker('apart')
      async m(): Promise<void> {}
    }
    const { registry } = await boot({ providers: [Named], resilience: { pipelines } });
    expect(registry.names()).toEqual(['apart']);
    await expect(
      problemsOf({ providers: [Named, Apart], resilience: { pipelines } }),
    ).resolves.toEqual([expect.stringContaining('"apart" has other options at Named.m')]);
    await expect(
      problemsOf({ providers: [Apart, Named], resilience: { pipelines } }),
    ).resolves.toEqual([expect.stringContaining('"apart" has other options at Apart.m')]);
  });

  it('overrides of one user conflict in the same way', async () => {
    const overrides = { Plain: { circuitBreaker: { openFor: '1s' } } } as const;
    const { registry } = await boot({
      providers: [Plain],
      resilience: { pipelines, overrides },
    });
    expect(registry.get('storagesvc').snapshot().limits.openForMs).toBe(1_000);
    await expect(
      problemsOf({ providers: [Plain, Storage], resilience: { pipelines, overrides } }),
    ).resolves.toEqual([expect.stringContaining('"storagesvc" has other options')]);
  });

  it('an override may remove a policy of the pipeline', async () => {
    const overrides = { Plain: { circuitBreaker: { enabled: false } } } as const;
    const { registry, service } = await boot({
      providers: [Plain],
      resilience: { pipelines, overrides },
    });
    expect(service.describe(Plain, 'm').stages).toEqual(['retry']);
    expect(registry.names()).toEqual([]);
  });

  it('an override by the name of the pipeline reaches all its users', async () => {
    const made: Command<never[], unknown>[] = [];
    const maker = making((service) => {
      made.push(commandOf(service, { pipeline: 'storagesvc' }));
      service.pipeline('storagesvc');
    });
    const { registry, service } = await bootService(
      {
        pipelines,
        overrides: {
          storagesvc: { circuitBreaker: { openFor: '1s' }, retry: { maxRetries: 7 } },
          '*': { retry: { maxRetries: 8, maxElapsedTime: '2m' } },
          'Storage.call': { retry: { maxRetries: 6 } },
        },
      },
      { providers: [Plain, Storage, maker] },
    );
    expect(registry.get('storagesvc').snapshot().limits.openForMs).toBe(1_000);
    const retries = [
      service.describe(Plain, 'm'),
      service.describe(Storage, 'call'),
      made[0]!.describe(),
      service.pipeline('storagesvc').describe(),
    ].map(({ policies }) => policies[0]?.options);
    expect(retries).toEqual(
      [7, 6, 7, 7].map((maxRetries) => ({ maxRetries, maxElapsedTime: '2m' })),
    );
  });

  it('an override by the name of a pipeline may have no users yet, but no policy that it lacks', async () => {
    await boot({
      resilience: { pipelines, overrides: { storagesvc: { retry: { maxRetries: 7 } } } },
    });
    const overrides = { storagesvc: { bulkhead: 3 } };
    await expect(problemsOf({ resilience: { pipelines, overrides } })).resolves.toEqual([
      `ResilienceModule.forRoot(): overrides['storagesvc'] has bulkhead, but storagesvc has no such policy; an override can change policies, not add them`,
    ]);
  });
});
