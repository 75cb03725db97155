import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  type ResilienceModuleOptions,
  Retry,
  Timeout,
  UsePipeline,
  staleIfError,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { problemsOf } from './support/commands.js';
import { type Deferred, deferred, settle } from './support/wait.js';

afterEach(closeAll);

const on = { enabled: true };
const off = { enabled: false };

@Injectable()
class Shelf {
  @Retry()
  @Timeout('1s')
  async plain(): Promise<void> {}

  @Retry({ enabled: false, maxRetries: 2 })
  async dormant(): Promise<void> {}

  @Retry({ config: 'patient' })
  async configured(): Promise<void> {}

  @UsePipeline('mail')
  async mailed(): Promise<void> {}
}

const shared: ResilienceModuleOptions = {
  configs: { patient: { retry: { maxRetries: 7 } } },
  pipelines: { mail: { retry: {} } },
};

async function retries(method: string, resilience: ResilienceModuleOptions): Promise<boolean> {
  const { service } = await boot({ providers: [Shelf], resilience: { ...shared, ...resilience } });
  return service.describe(Shelf, method).stages.includes('retry');
}

describe('a policy is switched off by', () => {
  it.each<[string, string, ResilienceModuleOptions]>([
    ['the defaults', 'plain', { defaults: { retry: off } }],
    ['a named configuration', 'configured', { configs: { patient: { retry: off } } }],
    ['its pipeline', 'mailed', { pipelines: { mail: { retry: off } } }],
    ['its own options', 'dormant', {}],
    ['an override for all', 'plain', { overrides: { '*': { retry: off } } }],
    ['an override for its pipeline', 'mailed', { overrides: { mail: { retry: off } } }],
    ['an override for its class', 'plain', { overrides: { Shelf: { retry: off } } }],
    ['an override for its method', 'plain', { overrides: { 'Shelf.plain': { retry: off } } }],
  ])('%s', async (_, method, resilience) => {
    await expect(retries(method, resilience)).resolves.toBe(false);
  });
});

describe('a policy that an earlier layer has switched off is switched on by', () => {
  it.each<[string, string, ResilienceModuleOptions]>([
    [
      'a named configuration',
      'configured',
      { defaults: { retry: off }, configs: { patient: { retry: on } } },
    ],
    ['its pipeline', 'mailed', { defaults: { retry: off }, pipelines: { mail: { retry: on } } }],
    ['an override for all', 'dormant', { overrides: { '*': { retry: on } } }],
    [
      'an override for its class',
      'plain',
      { overrides: { '*': { retry: off }, Shelf: { retry: on } } },
    ],
    [
      'an override for its method',
      'plain',
      { overrides: { Shelf: { retry: off }, 'Shelf.plain': { retry: on } } },
    ],
  ])('%s', async (_, method, resilience) => {
    await expect(retries(method, resilience)).resolves.toBe(true);
  });

  it('with the options of the earlier layers', async () => {
    const { service } = await boot({
      providers: [Shelf],
      resilience: { ...shared, overrides: { 'Shelf.dormant': { retry: on } } },
    });
    expect(service.describe(Shelf, 'dormant').policies).toMatchObject([
      { kind: 'retry', options: { maxRetries: 2 } },
    ]);
  });
});

describe('a policy that is switched off', () => {
  it('is not checked, so that a test does not need its dependencies', async () => {
    @Injectable()
    class Stale {
      @Fallback(staleIfError({ ttl: '10m' }), off)
      @Retry({ enabled: false, maxRetries: -1 })
      async m(): Promise<string> {
        return 'fresh';
      }
    }
    const { app } = await boot({ providers: [Stale] });
    await expect(app.get(Stale).m()).resolves.toBe('fresh');
  });

  it('still defines its breaker for those that refer to it', async () => {
    @Injectable()
    class Definer {
      @CircuitBreaker({ name: 'both', consecutiveFailures: 3 })
      async defines(): Promise<void> {}

      @CircuitBreaker('both')
      async refers(): Promise<void> {}
    }
    const { registry } = await boot({
      providers: [Definer],
      resilience: { overrides: { 'Definer.defines': { circuitBreaker: off } } },
    });
    expect(registry.get('both').snapshot().limits.consecutiveFailures).toBe(3);
  });

  it('does not contradict others that use its name', async () => {
    @Injectable()
    class Two {
      @Bulkhead({ name: 'both', maxConcurrent: 1, enabled: false })
      async one(): Promise<void> {}

      @Bulkhead({ name: 'both', maxConcurrent: 2 })
      async other(): Promise<void> {}
    }
    const { service } = await boot({ providers: [Two] });
    expect(service.describe(Two, 'other').policies).toMatchObject([
      { options: { maxConcurrent: 2 } },
    ]);
  });
});

it('enabled is true or false', async () => {
  const problems = await problemsOf({
    providers: [Shelf],
    resilience: { ...shared, overrides: { 'Shelf.plain': { retry: { enabled: 'no' as never } } } },
  });
  expect(problems).toEqual([
    "Shelf.plain @Retry: enabled (from overrides['Shelf.plain']) is 'no'; use true or false",
  ]);
});

it('false does not switch a policy off', async () => {
  const problems = await problemsOf({
    providers: [Shelf],
    resilience: { ...shared, overrides: { '*': { timeout: false as never } } },
  });
  expect(problems).toContain(
    "ResilienceModule.forRoot(): overrides['*'].timeout is false; use { enabled: false } to switch the policy off",
  );
});

it('a fallback that is switched off and on again counts those that are still running', async () => {
  const answers: Deferred<string>[] = [];
  @Injectable()
  class Books {
    @Fallback(
      () => {
        const answer = deferred<string>();
        answers.push(answer);
        return answer.promise;
      },
      { maxConcurrent: 1 },
    )
    async list(): Promise<string> {
      throw new Error('down');
    }
  }
  const { app, service } = await boot({ providers: [Books] });
  const books = app.get(Books);
  const first = books.list();
  await settle();
  for (const policy of [off, on]) service.configure('Books.list', { fallback: policy });
  await expect(books.list()).rejects.toThrow('down');
  answers[0]!.resolve('answer');
  await expect(first).resolves.toBe('answer');
  const second = books.list();
  await settle();
  answers[1]!.resolve('another');
  await expect(second).resolves.toBe('another');
});
