import { Injectable, Module } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  ResilienceModule,
  type ResilienceModuleOptions,
  Retry,
  Timeout,
  overridesFromEnv,
} from '../src/index.js';
import { closeAll } from './support/boot.js';
import { making, problemsOf, wrong } from './support/commands.js';

afterEach(closeAll);

@Injectable()
class StorageClient {
  @Retry()
  @CircuitBreaker()
  @Timeout('2s')
  async getBooks(): Promise<void> {}

  @Bulkhead(5)
  async getBook(): Promise<void> {}
}

/** The problems of an application with one variable. */
async function toldOf(name: string, text: string): Promise<readonly string[]> {
  return toldOfAll({ [name]: text });
}

async function toldOfAll(
  env: Readonly<Record<string, string>>,
  resilience: ResilienceModuleOptions = {},
): Promise<readonly string[]> {
  const problems = await problemsOf({
    providers: [StorageClient],
    resilience: { ...resilience, overrides: overridesFromEnv(env) },
  });
  return problems.map((problem) => problem.replace('ResilienceModule.forRoot(): ', ''));
}

const durations = `milliseconds or a duration such as '500ms', '2s', '1.5m', '1h'`;
const targets = 'ALL, STORAGE_CLIENT, STORAGE_CLIENT__GET_BOOKS, STORAGE_CLIENT__GET_BOOK';
const kinds = 'FALLBACK, TIMEOUT, RETRY, CIRCUIT_BREAKER, RATE_LIMIT, BULKHEAD';

describe('bootstrap reports a variable', () => {
  it.each<[string, string, string, string]>([
    [
      'whose target is misspelt',
      'RESILIENCE__STORAGE_CLIENT__GET_BOKS__RETRY__MAX_RETRIES',
      '2',
      `is '2', but STORAGE_CLIENT__GET_BOKS is not a decorated class or method, a command or a pipeline; use RESILIENCE__STORAGE_CLIENT__GET_BOOKS__RETRY__MAX_RETRIES; there are ${targets}`,
    ],
    [
      'with one underscore between class and method',
      'RESILIENCE__STORAGE_CLIENT_GET_BOOKS__RETRY__MAX_RETRIES',
      '2',
      `is '2', but STORAGE_CLIENT_GET_BOOKS is not a decorated class or method, a command or a pipeline; use RESILIENCE__STORAGE_CLIENT__GET_BOOKS__RETRY__MAX_RETRIES; there are ${targets}`,
    ],
    [
      'with a name that every object has',
      'RESILIENCE__CONSTRUCTOR__RETRY__MAX_RETRIES',
      '2',
      `is '2', but CONSTRUCTOR is not a decorated class or method, a command or a pipeline; use RESILIENCE__ALL__RETRY__MAX_RETRIES; there are ${targets}`,
    ],
    [
      'for __proto__',
      'RESILIENCE____PROTO____RETRY__MAX_RETRIES',
      '2',
      `is '2', but PROTO is not a decorated class or method, a command or a pipeline; use RESILIENCE__ALL__RETRY__MAX_RETRIES; there are ${targets}`,
    ],
    [
      'for a policy that its target does not have',
      'RESILIENCE__STORAGE_CLIENT__GET_BOOK__RETRY__MAX_RETRIES',
      '2',
      `is '2', but StorageClient.getBook has no retry; an override can change policies, not add them; use one of bulkhead`,
    ],
    [
      'for a policy that is misspelt',
      'RESILIENCE__STORAGE_CLIENT__RETRI__MAX_RETRIES',
      '2',
      `is '2', but it names no policy; the policies are ${kinds}; use RESILIENCE__STORAGE_CLIENT__RETRY__MAX_RETRIES`,
    ],
    [
      'without a policy',
      'RESILIENCE__STORAGE_CLIENT__GET_BOOKS__FOO',
      '2',
      `is '2', but it names no policy; the policies are ${kinds}; use RESILIENCE__TARGET__POLICY__OPTION`,
    ],
    [
      'without a target',
      'RESILIENCE__RETRY__MAX_RETRIES',
      '2',
      `is '2', but it names no target before the policy; use RESILIENCE__ALL__RETRY__MAX_RETRIES, or the name of a class, a command or a pipeline in the place of ALL`,
    ],
    [
      'with a target alone',
      'RESILIENCE__STORAGE_CLIENT',
      'x',
      `is 'x', but it names no target and no policy; use RESILIENCE__TARGET__POLICY__OPTION, with a policy of ${kinds}`,
    ],
    [
      'with nothing behind its prefix',
      'RESILIENCE__',
      'x',
      `is 'x', but it names no target and no policy; use RESILIENCE__TARGET__POLICY__OPTION, with a policy of ${kinds}`,
    ],
    [
      'without an option',
      'RESILIENCE__ALL__RETRY',
      'false',
      `is 'false', but it names no option of retry; use one, such as RESILIENCE__ALL__RETRY__ENABLED`,
    ],
    [
      'for an option that is misspelt',
      'RESILIENCE__ALL__RETRY__MAX_RETRYS',
      '2',
      `is '2', but retry has no option MAX_RETRYS that a variable could give; use RESILIENCE__ALL__RETRY__MAX_RETRIES`,
    ],
    [
      'for an option of another policy',
      'RESILIENCE__ALL__RETRY__OPEN_FOR',
      '2s',
      `is '2s', but retry has no option OPEN_FOR that a variable could give; use RESILIENCE__ALL__RETRY__ENABLED`,
    ],
    [
      'for a configuration',
      'RESILIENCE__ALL__RETRY__CONFIG',
      'patient',
      expect.stringContaining('retry has no option CONFIG that a variable could give') as string,
    ],
    [
      'for an option that every object has',
      'RESILIENCE__ALL__RETRY____PROTO__',
      'x',
      expect.stringContaining('retry has no option PROTO that a variable could give') as string,
    ],
    [
      'for an option that has options of its own',
      'RESILIENCE__ALL__CIRCUIT_BREAKER__HALF_OPEN',
      '3',
      `is '3', but HALF_OPEN of circuitBreaker has options of its own; use one of RESILIENCE__ALL__CIRCUIT_BREAKER__HALF_OPEN__MAX_CALLS, RESILIENCE__ALL__CIRCUIT_BREAKER__HALF_OPEN__SUCCESS_THRESHOLD, RESILIENCE__ALL__CIRCUIT_BREAKER__HALF_OPEN__MAX_DURATION`,
    ],
    [
      'for an option that takes functions',
      'RESILIENCE__ALL__RETRY__SKIP',
      'NotFoundException',
      `is 'NotFoundException', but skip of retry takes a function or a value of the program; give it in code`,
    ],
    [
      'for an option that takes a function',
      'RESILIENCE__ALL__CIRCUIT_BREAKER__ON_STATE_CHANGE',
      'x',
      `is 'x', but onStateChange of circuitBreaker takes a function or a value of the program; give it in code`,
    ],
    [
      'that is not a whole number',
      'RESILIENCE__ALL__RETRY__MAX_RETRIES',
      'many',
      `is 'many'; use a whole number of at least 0, or Infinity`,
    ],
    [
      'that is out of range',
      'RESILIENCE__ALL__CIRCUIT_BREAKER__FAILURE_RATE',
      '50',
      `is '50'; use a number above 0 and at most 1`,
    ],
    [
      'that is neither true nor false',
      'RESILIENCE__ALL__RETRY__ENABLED',
      'yes',
      `is 'yes'; use true or false`,
    ],
    [
      'that is not a duration',
      'RESILIENCE__ALL__TIMEOUT',
      '2 s',
      `is '2 s'; use ${durations} above 0`,
    ],
    [
      'that is neither of two',
      'RESILIENCE__ALL__RETRY__RESPECT_RETRY_AFTER',
      'never',
      `is 'never'; use true or false, or ${durations} of at least 0`,
    ],
    [
      'that is none of some words',
      'RESILIENCE__ALL__RETRY__BACKOFF__KIND',
      'cubic',
      `is 'cubic'; use 'exponential', 'constant', 'linear', 'fibonacci' or 'decorrelated'`,
    ],
    [
      'that has the name of what every object has',
      'RESILIENCE__ALL__RETRY__ENABLED',
      'constructor',
      `is 'constructor'; use true or false`,
    ],
  ])('%s', async (_, name, text, told) => {
    const expected: unknown = typeof told === 'string' ? `${name} ${told}` : told;
    expect(await toldOf(name, text)).toEqual([expected]);
  });

  it('together with all others, and with other problems', async () => {
    const problems = await toldOfAll(
      {
        RESILIENCE__STORAGE_CLIENTS__RETRY__MAX_RETRIES: '2',
        RESILIENCE__STORAGE_CLIENT__TIMEOUT: 'soon',
        RESILIENCE__STORAGE_CLIENT__CIRCUIT_BREAKER__OPENFOR: '0s',
      },
      { defaults: { retry: { maxRetries: -1 } } },
    );
    expect(problems).toEqual([
      expect.stringContaining('STORAGE_CLIENTS is not a decorated class'),
      expect.stringContaining('__TIMEOUT is '),
      expect.stringContaining('__OPENFOR is '),
      expect.stringContaining('maxRetries (from defaults) is -1'),
    ]);
  });

  it('with its target, even if its value is wrong too', async () => {
    expect(await toldOf('RESILIENCE__SHELF__TIMEOUT', 'soon')).toEqual([
      expect.stringContaining('SHELF is not a decorated class'),
      expect.stringContaining('use milliseconds'),
    ]);
  });

  it('whose value contradicts that of another layer, with its name', async () => {
    expect(await toldOf('RESILIENCE__ALL__TIMEOUT__TOTAL', '1s')).toEqual([
      'StorageClient.getBooks @Timeout: attempt (2000 ms) must be shorter than total (1000 ms), or the total timeout always comes first',
    ]);
    const env = {
      RESILIENCE__ALL__RETRY__BACKOFF__KIND: 'constant',
      RESILIENCE__ALL__RETRY__BACKOFF__INITIAL_DELAY: '1s',
    };
    expect(await toldOfAll(env)).toContain(
      'StorageClient.getBooks @Retry: backoff.initialDelay (from RESILIENCE__ALL__RETRY__BACKOFF__KIND, RESILIENCE__ALL__RETRY__BACKOFF__INITIAL_DELAY) is not an option; the options are backoff.delay, backoff.jitter',
    );
  });

  it('that contradicts another one', async () => {
    const problems = await toldOfAll({
      RESILIENCE__STORAGE_CLIENT__RETRY__MAX_RETRIES: '1',
      resilience__storageclient__retry__maxretries: '2',
      RESILIENCE__STORAGE_CLIENT__TIMEOUT: '1s',
      RESILIENCE__STORAGE_CLIENT__TIMEOUT__ATTEMPT: '3s',
      RESILIENCE__ALL__CIRCUIT_BREAKER__OPEN_FOR: '1s',
      RESILIENCE__ALL__CIRCUIT_BREAKER__OPEN_FOR__INITIAL_DELAY: '1s',
    });
    expect(problems).toEqual([
      `RESILIENCE__ALL__CIRCUIT_BREAKER__OPEN_FOR__INITIAL_DELAY is '1s' and RESILIENCE__ALL__CIRCUIT_BREAKER__OPEN_FOR is '1s', but both give circuitBreaker.openFor.options.initialDelay of *; use one of them`,
      `resilience__storageclient__retry__maxretries is '2' and RESILIENCE__STORAGE_CLIENT__RETRY__MAX_RETRIES is '1', but both give retry.maxRetries of StorageClient; use one of them`,
      `RESILIENCE__STORAGE_CLIENT__TIMEOUT__ATTEMPT is '3s' and RESILIENCE__STORAGE_CLIENT__TIMEOUT is '1s', but both give timeout.attempt of StorageClient; use one of them`,
    ]);
  });
});

describe('bootstrap reports an ambiguous variable:', () => {
  it('a class and a command', async () => {
    const problems = await problemsOf({
      providers: [
        StorageClient,
        making((service) => service.command('storage-client', { run: () => 1, retry: {} })),
      ],
      resilience: {
        overrides: overridesFromEnv({ RESILIENCE__STORAGE_CLIENT__RETRY__MAX_RETRIES: '1' }),
      },
    });
    expect(problems).toEqual([
      `ResilienceModule.forRoot(): RESILIENCE__STORAGE_CLIENT__RETRY__MAX_RETRIES is '1', but STORAGE_CLIENT means 'StorageClient' and 'storage-client'; use overrides in code, which have the exact names`,
    ]);
  });

  it('two methods, with the unambiguous forms', async () => {
    @Injectable()
    class Storage {
      @Retry()
      async clientGetBooks(): Promise<void> {}
    }
    const env = { RESILIENCE__STORAGE__CLIENT__GET__BOOKS__RETRY__MAX_RETRIES: '1' };
    const problems = await problemsOf({
      providers: [StorageClient, Storage],
      resilience: { overrides: overridesFromEnv(env) },
    });
    expect(problems).toEqual([
      `ResilienceModule.forRoot(): RESILIENCE__STORAGE__CLIENT__GET__BOOKS__RETRY__MAX_RETRIES is '1', but STORAGE__CLIENT__GET__BOOKS means 'StorageClient.getBooks' and 'Storage.clientGetBooks'; use RESILIENCE__STORAGE_CLIENT__GET_BOOKS__RETRY__MAX_RETRIES or RESILIENCE__STORAGE__CLIENT_GET_BOOKS__RETRY__MAX_RETRIES`,
    ]);
  });

  it('a class called All, and all subjects', async () => {
    @Injectable()
    class All {
      @Retry()
      async m(): Promise<void> {}
    }
    const problems = await problemsOf({
      providers: [All],
      resilience: { overrides: overridesFromEnv({ RESILIENCE__ALL__RETRY__MAX_RETRIES: '1' }) },
    });
    expect(problems).toEqual([expect.stringContaining(`ALL means '*' and 'All'`)]);
  });
});

describe('bootstrap reports overridesFromEnv()', () => {
  it.each<[string, unknown, unknown, string]>([
    [
      'without variables',
      undefined,
      {},
      'the variables are undefined; use process.env, or an object with texts by name',
    ],
    [
      'with an empty prefix',
      {},
      { prefix: '_' },
      `prefix is '_'; use letters, digits and underscores, such as 'BOOKS_RESILIENCE'`,
    ],
    [
      'with a prefix that is not a text',
      {},
      { prefix: 7 },
      `prefix is 7; use letters, digits and underscores, such as 'BOOKS_RESILIENCE'`,
    ],
  ])('%s', async (_, env, options, told) => {
    const overrides = overridesFromEnv(wrong(env), wrong(options));
    expect(await problemsOf({ resilience: { overrides } })).toEqual([
      `ResilienceModule.forRoot(): overridesFromEnv(): ${told}`,
    ]);
  });

  it('given where overrides are not expected', async () => {
    const overrides = wrong([overridesFromEnv({}), null]);
    expect(await problemsOf({ resilience: { overrides } })).toEqual([
      'ResilienceModule.forRoot(): overrides[1] is null; use an object',
    ]);
  });

  it('of a feature module with the place', async () => {
    @Module({
      imports: [
        ResilienceModule.forFeature({
          overrides: overridesFromEnv({ RESILIENCE__STORAGE_CLIENT__TIMEOUT: 'x' }),
        }),
      ],
      providers: [StorageClient],
    })
    class BooksModule {}
    expect(await problemsOf({ imports: [BooksModule] })).toEqual([
      `ResilienceModule.forFeature() of BooksModule: RESILIENCE__STORAGE_CLIENT__TIMEOUT is 'x'; use ${durations} above 0`,
    ]);
  });
});
