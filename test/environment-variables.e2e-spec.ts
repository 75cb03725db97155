import { Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  ResilienceModule,
  type ResilienceModuleOptions,
  ResilienceService,
  Retry,
  Timeout,
  UsePipeline,
  exponential,
  overridesFromEnv,
} from '../src/index.js';
import { boot, closeAll, quiet, watch } from './support/boot.js';
import { hang, making } from './support/commands.js';

afterEach(closeAll);

@Injectable()
class StorageClient {
  @Fallback('cachedBooks')
  @Retry({ maxRetries: 5, backoff: exponential({ multiplier: 3 }) })
  @CircuitBreaker({ openFor: '9s', halfOpen: { successThreshold: 2 } })
  @Timeout('2s')
  @Bulkhead(5)
  async getBooks(work?: Promise<string>): Promise<string> {
    return work ?? 'books';
  }

  @Retry({ maxRetries: 5 })
  async getBook(): Promise<void> {}

  cachedBooks(): string {
    return 'cached';
  }
}

@Injectable()
class HTTPClient {
  @Retry()
  async get(): Promise<void> {}
}

@Injectable()
class S3Client {
  @Retry()
  async put2Objects(): Promise<void> {}
}

@Injectable()
class My__Client {
  @Retry()
  async get__all(): Promise<void> {}
}

@Injectable()
class Timeouts {
  @Retry()
  @Timeout('1s')
  async timeout(): Promise<void> {}

  @UsePipeline('slow-mail')
  async mail(): Promise<void> {}
}

const providers = [StorageClient, HTTPClient, S3Client, My__Client, Timeouts];
const pipelines = { 'slow-mail': { retry: {}, timeout: '5s' } } as const;

type Env = Readonly<Record<string, string | undefined>>;

/** With `RESILIENCE__` before each name. */
function prefixed(env: Env): Env {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [`RESILIENCE__${name}`, value]),
  );
}

async function bootWith(
  env: Env,
  resilience: ResilienceModuleOptions = {},
): Promise<ResilienceService> {
  const overrides = overridesFromEnv(prefixed(env));
  const { service } = await boot({
    providers,
    resilience: { pipelines, ...resilience, overrides },
  });
  return service;
}

function optionsIn(service: ResilienceService, type: Type, method: string, kind: string): unknown {
  return service.describe(type, method).policies.find((policy) => policy.kind === kind)?.options;
}

async function optionsOf(
  env: Env,
  kind: string,
  [type, method]: [Type, string] = [StorageClient, 'getBooks'],
): Promise<unknown> {
  return optionsIn(await bootWith(env), type, method, kind);
}

describe('an environment variable', () => {
  it.each<[string, string, unknown]>([
    ['RETRY__MAX_RETRIES', '2', 2],
    ['RETRY__MAX_RETRIES', 'Infinity', Infinity],
    ['RETRY__MAX_ELAPSED_TIME', '1m', '1m'],
    ['RETRY__MAX_ELAPSED_TIME', '60000', 60_000],
    ['RETRY__MAX_ELAPSED_TIME', 'infinity', Infinity],
    ['RETRY__RESPECT_RETRY_AFTER', 'FALSE', false],
    ['RETRY__RESPECT_RETRY_AFTER', '30s', '30s'],
    ['CIRCUIT_BREAKER__FAILURE_RATE', '.25', 0.25],
    ['CIRCUIT_BREAKER__MINIMUM_CALLS', ' 7\n', 7],
    ['CIRCUIT_BREAKER__NAME', '42', '42'],
    ['CIRCUIT_BREAKER__WINDOW', '20s', '20s'],
    ['BULKHEAD__REENTRANT', 'true', true],
    ['TIMEOUT__TOTAL', '3s', '3s'],
    ['FALLBACK__MAX_CONCURRENT', '3', 3],
  ])('gives an option its type: %s=%s', async (name, text, value) => {
    const [kind, option] = {
      RETRY__MAX_RETRIES: ['retry', 'maxRetries'],
      RETRY__MAX_ELAPSED_TIME: ['retry', 'maxElapsedTime'],
      RETRY__RESPECT_RETRY_AFTER: ['retry', 'respectRetryAfter'],
      CIRCUIT_BREAKER__FAILURE_RATE: ['circuitBreaker', 'failureRate'],
      CIRCUIT_BREAKER__MINIMUM_CALLS: ['circuitBreaker', 'minimumCalls'],
      CIRCUIT_BREAKER__NAME: ['circuitBreaker', 'name'],
      CIRCUIT_BREAKER__WINDOW: ['circuitBreaker', 'window'],
      BULKHEAD__REENTRANT: ['bulkhead', 'reentrant'],
      TIMEOUT__TOTAL: ['timeout', 'total'],
      FALLBACK__MAX_CONCURRENT: ['fallback', 'maxConcurrent'],
    }[name]!;
    const options = await optionsOf({ [`STORAGE_CLIENT__GET_BOOKS__${name}`]: text }, kind!);
    expect(options).toHaveProperty(option!, value);
  });

  it('changes how calls run', async () => {
    const { app, clock } = await boot({
      providers: [StorageClient],
      resilience: {
        overrides: overridesFromEnv({
          RESILIENCE__ALL__TIMEOUT: '50ms',
          RESILIENCE__ALL__RETRY__ENABLED: 'false',
        }),
      },
    });
    const client = app.get(StorageClient);
    const call = client.getBooks(hang());
    await clock.advance(49);
    await clock.advance(1);
    await expect(call).resolves.toBe('cached');
  });

  it.each<[string, Env, string, object]>([
    ['timeout', { TIMEOUT: '4s' }, 'timeout', { attempt: '4s' }],
    ['bulkhead', { BULKHEAD: '10' }, 'bulkhead', { maxConcurrent: 10 }],
    ['circuit breaker', { CIRCUIT_BREAKER: 'shelf' }, 'circuitBreaker', { name: 'shelf' }],
    ['fallback', { FALLBACK: 'cachedBooks' }, 'fallback', { handler: 'cachedBooks' }],
    [
      'timeout, beside another option,',
      { TIMEOUT: '4s', TIMEOUT__TOTAL: '9s' },
      'timeout',
      { attempt: '4s', total: '9s' },
    ],
  ])('takes the short form of a %s', async (_, variables, kind, options) => {
    const env = Object.fromEntries(
      Object.entries(variables).map(([name, text]) => [`STORAGE_CLIENT__${name}`, text]),
    );
    await expect(optionsOf(env, kind)).resolves.toMatchObject(options);
  });

  it('changes a nested option, and leaves its neighbours', async () => {
    const env = { STORAGE_CLIENT__GET_BOOKS__CIRCUIT_BREAKER__HALF_OPEN__MAX_CALLS: '3' };
    await expect(optionsOf(env, 'circuitBreaker')).resolves.toEqual({
      openFor: '9s',
      halfOpen: { successThreshold: 2, maxCalls: 3 },
    });
  });

  it.each<[Env, object]>([
    [{ INITIAL_DELAY: '1s' }, { kind: 'exponential', options: { initialDelay: '1s' } }],
    [
      { INITIAL_DELAY: '1s', JITTER: 'Full', MAX_DELAY: '5s' },
      {
        kind: 'exponential',
        options: { initialDelay: '1s', maxDelay: '5s', jitter: 'full' },
      },
    ],
    [
      { INCREMENT: '1s', JITTER: '0.1' },
      { kind: 'linear', options: { increment: '1s', jitter: 0.1 } },
    ],
    [
      { INITIAL_DELAY: '2s', INCREMENT: '1s' },
      { kind: 'linear', options: { initialDelay: '2s', increment: '1s' } },
    ],
    [{ DELAY: '100ms' }, { kind: 'constant', options: { delay: '100ms' } }],
    [{ KIND: 'Fibonacci' }, { kind: 'fibonacci', options: {} }],
    [
      { INITIAL_DELAY: '20ms', KIND: 'decorrelated' },
      { kind: 'decorrelated', options: { initialDelay: '20ms' } },
    ],
  ])('gives a whole backoff: %j', async (variables, backoff) => {
    const env = Object.fromEntries(
      Object.entries(variables).map(([name, text]) => [`ALL__RETRY__BACKOFF__${name}`, text]),
    );
    await expect(optionsOf(env, 'retry')).resolves.toEqual({ maxRetries: 5, backoff });
  });

  it('gives a window of calls, and an open time that grows', async () => {
    const env = {
      ALL__CIRCUIT_BREAKER__WINDOW__CALLS: '50',
      ALL__CIRCUIT_BREAKER__OPEN_FOR__INITIAL_DELAY: '2s',
    };
    await expect(optionsOf(env, 'circuitBreaker')).resolves.toMatchObject({
      window: { calls: 50 },
      openFor: { kind: 'exponential', options: { initialDelay: '2s' } },
    });
  });

  it('switches a policy off and on', async () => {
    const service = await bootWith({
      ALL__RETRY__ENABLED: 'false',
      STORAGE_CLIENT__GET_BOOK__RETRY__ENABLED: 'true',
    });
    expect(service.describe(StorageClient, 'getBooks').stages).not.toContain('retry');
    expect(service.describe(StorageClient, 'getBook').stages).toEqual(['retry']);
  });

  it('that is empty counts as not given', async () => {
    const env = { ALL__RETRY__MAX_RETRIES: '', ALL__RETRI: ' ', ALL__TIMEOUT: undefined };
    await expect(optionsOf(env, 'retry', [HTTPClient, 'get'])).resolves.toEqual({});
  });
});

describe('the target of a variable', () => {
  it.each<[string, Type, string]>([
    ['ALL', StorageClient, 'getBooks'],
    ['STORAGE_CLIENT', StorageClient, 'getBooks'],
    ['storageclient', StorageClient, 'getBooks'],
    ['Storage_Client__getBooks', StorageClient, 'getBooks'],
    ['STORAGECLIENT__GET_BOOKS', StorageClient, 'getBooks'],
    ['HTTP_CLIENT', HTTPClient, 'get'],
    ['HTTPCLIENT__GET', HTTPClient, 'get'],
    ['S3_CLIENT__PUT_2_OBJECTS', S3Client, 'put2Objects'],
    ['S_3_CLIENT__PUT2_OBJECTS', S3Client, 'put2Objects'],
    ['MY_CLIENT__GET_ALL', My__Client, 'get__all'],
    ['MY__CLIENT__GET__ALL', My__Client, 'get__all'],
    ['TIMEOUTS__TIMEOUT', Timeouts, 'timeout'],
    ['SLOW_MAIL', Timeouts, 'mail'],
    ['TIMEOUTS__MAIL', Timeouts, 'mail'],
  ])('%s is found', async (target, type, method) => {
    const env = { [`${target}__RETRY__MAX_RETRIES`]: '1' };
    await expect(optionsOf(env, 'retry', [type, method])).resolves.toMatchObject({ maxRetries: 1 });
  });

  it('may be a command, a pipeline, a protected object, one of its methods, fetch', async () => {
    const made: { describe(): { policies: readonly { options: object }[] } }[] = [];
    const env = prefixed({
      FIND_BOOKS__RETRY__MAX_RETRIES: '1',
      SLOW_MAIL__RETRY__MAX_RETRIES: '2',
      SDK__RETRY__MAX_RETRIES: '3',
      SDK__GET_OBJECT__TIMEOUT: '3s',
      FETCH__TIMEOUT__TOTAL: '20s',
    });
    const sdk = { getObject: async (): Promise<string> => 'object' };
    const { service } = await boot({
      providers: [
        making((resilience) => {
          made.push(
            resilience.command('find-books', { run: () => 'books', retry: {} }),
            resilience.pipeline('slow-mail'),
          );
          const policies = { retry: {}, timeout: '1s' } as const;
          return resilience.protect(sdk, { name: 'sdk', methods: { getObject: policies } });
        }),
      ],
      resilience: { pipelines, overrides: overridesFromEnv(env) },
    });
    expect(made.map((each) => each.describe().policies[0]!.options)).toEqual([
      { maxRetries: 1 },
      { maxRetries: 2 },
    ]);
    expect(service).toBeDefined();
  });

  it('applies to calls that are made while the application starts', async () => {
    const found: unknown[] = [];
    await boot({
      providers: [
        making((resilience) => {
          const find = resilience.command('find-books', { run: () => 'books', retry: {} });
          found.push(find.describe().policies[0]!.options);
        }),
      ],
      resilience: { overrides: overridesFromEnv(prefixed({ FINDBOOKS__RETRY__MAX_RETRIES: '1' })) },
    });
    expect(found).toEqual([{ maxRetries: 1 }]);
  });

  it('is more specific, and wins, whatever the order of the variables', async () => {
    const service = await bootWith({
      STORAGE_CLIENT__GET_BOOKS__RETRY__MAX_RETRIES: '3',
      STORAGE_CLIENT__RETRY__MAX_RETRIES: '2',
      ALL__RETRY__MAX_RETRIES: '1',
    });
    expect(optionsIn(service, StorageClient, 'getBooks', 'retry')).toMatchObject({ maxRetries: 3 });
    expect(optionsIn(service, StorageClient, 'getBook', 'retry')).toMatchObject({ maxRetries: 2 });
    expect(optionsIn(service, HTTPClient, 'get', 'retry')).toMatchObject({ maxRetries: 1 });
  });
});

describe('overridesFromEnv() takes', () => {
  const env = {
    RESILIENCE__ALL__RETRY__MAX_RETRIES: '1',
    resilience__http_client__retry__max_retries: '2',
    RESILIENCE4J__ALL__NONSENSE: 'x',
    RESILIENCE_MODE: 'x',
    MY_RESILIENCE__ALL__NONSENSE: 'x',
    BOOKS_APP__S3_CLIENT__RETRY__MAX_RETRIES: '3',
  };

  async function retriesOf(overrides: ResilienceModuleOptions['overrides']): Promise<unknown[]> {
    const { service } = await boot({ providers, resilience: { pipelines, overrides } });
    const methods: [Type, string][] = [
      [StorageClient, 'getBook'],
      [HTTPClient, 'get'],
      [S3Client, 'put2Objects'],
    ];
    return methods.map(
      ([type, method]) =>
        (optionsIn(service, type, method, 'retry') as { maxRetries?: number }).maxRetries,
    );
  }

  it('the variables with its prefix, in any case, and no others', async () => {
    await expect(retriesOf(overridesFromEnv(env))).resolves.toEqual([1, 2, 1]);
  });

  it.each(['BOOKS_APP', 'books_app__'])('those with the prefix %s', async (prefix) => {
    await expect(retriesOf(overridesFromEnv(env, { prefix }))).resolves.toEqual([5, undefined, 3]);
  });

  it('the values at the time of the call', async () => {
    const changing: Record<string, string> = { RESILIENCE__ALL__RETRY__MAX_RETRIES: '1' };
    const overrides = overridesFromEnv(changing);
    changing.RESILIENCE__ALL__RETRY__MAX_RETRIES = '9';
    await expect(retriesOf(overrides)).resolves.toEqual([1, 1, 1]);
  });

  describe('and gives overrides that', () => {
    const literal = {
      '*': { retry: { maxRetries: 7 } },
      S3Client: { retry: { maxRetries: 8 } },
    };

    it.each([
      ['stand in a list after others', [literal, overridesFromEnv(env)]],
      ['stand in a list before others', [overridesFromEnv(env), literal]],
      ['are spread', { ...literal, ...overridesFromEnv(env) }],
    ])('win over literal ones of the same target when they %s', async (_, overrides) => {
      await expect(retriesOf(overrides)).resolves.toEqual([1, 2, 8]);
    });

    it.each([
      ['in a list', [overridesFromEnv(env), overridesFromEnv(env, { prefix: 'BOOKS_APP' })]],
      ['spread', { ...overridesFromEnv(env), ...overridesFromEnv(env, { prefix: 'BOOKS_APP' }) }],
    ])('add to one another, %s', async (_, overrides) => {
      await expect(retriesOf(overrides)).resolves.toEqual([1, 2, 3]);
    });

    it('forRootAsync() takes', async () => {
      const overrides = [literal, overridesFromEnv(env)];
      @Module({
        imports: [
          ResilienceModule.forRootAsync({ useFactory: async () => ({ pipelines, overrides }) }),
        ],
        providers,
      })
      class AppModule {}
      const { service } = watch(await NestFactory.createApplicationContext(AppModule, quiet));
      expect(optionsIn(service, HTTPClient, 'get', 'retry')).toEqual({ maxRetries: 2 });
    });

    it('forFeature() takes, where the root has literal ones', async () => {
      const { service } = await boot({
        imports: [ResilienceModule.forFeature({ overrides: overridesFromEnv(env) })],
        providers,
        resilience: { pipelines, overrides: literal },
      });
      expect(optionsIn(service, HTTPClient, 'get', 'retry')).toEqual({ maxRetries: 2 });
      expect(optionsIn(service, S3Client, 'put2Objects', 'retry')).toEqual({ maxRetries: 8 });
    });

    it('both forRoot() and forFeature() take, if they are the same', async () => {
      const { service } = await boot({
        imports: [ResilienceModule.forFeature({ overrides: overridesFromEnv(env) })],
        providers,
        resilience: { pipelines, overrides: overridesFromEnv(env) },
      });
      expect(optionsIn(service, HTTPClient, 'get', 'retry')).toEqual({ maxRetries: 2 });
    });
  });
});

describe('a list of overrides', () => {
  it('is merged, option by option, and later items win', async () => {
    const { service } = await boot({
      providers: [StorageClient],
      resilience: {
        overrides: [
          {
            StorageClient: {
              timeout: '7s',
              retry: { maxRetries: 1, maxElapsedTime: '1m' },
              circuitBreaker: { halfOpen: { maxCalls: 4, maxDuration: '1s' } },
            },
          },
          {
            StorageClient: {
              timeout: { total: '9s' },
              retry: { maxRetries: 2 },
              circuitBreaker: { halfOpen: { maxCalls: 5 } },
            },
          },
        ],
      },
    });
    const [retry, breaker, timeout] = ['retry', 'circuitBreaker', 'timeout'].map((kind) =>
      optionsIn(service, StorageClient, 'getBooks', kind),
    );
    expect(retry).toMatchObject({ maxRetries: 2, maxElapsedTime: '1m' });
    expect(breaker).toMatchObject({
      halfOpen: { maxCalls: 5, maxDuration: '1s', successThreshold: 2 },
    });
    expect(timeout).toEqual({ attempt: '7s', total: '9s' });
  });
});
