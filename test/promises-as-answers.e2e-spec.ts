import { Bulkhead, gobreaker, type ResilienceModuleOptions, staleIfError } from '../src/index.js';
import { closeAll } from './support/boot.js';
import { bootService, cached, commandOf, down, problemsBy, wrong } from './support/commands.js';
import { outcome } from './support/wait.js';

const quiet: ResilienceModuleOptions = { logger: false };

/** Where a boolean, a key or a number is expected. */
const promise = wrong(() => Promise.reject(new Error('of a function in the options')));

afterEach(closeAll);

describe('a predicate that returns a promise', () => {
  it.each([
    ['retry', { retry: { maxRetries: 1, backoff: () => 0, on: [promise] } }],
    ['fallback', { fallback: { handler: () => 'spare', on: [promise] } }],
    ['a choice', { fallback: [{ on: [promise], handler: () => 'spare' }] }],
  ])('does not match: on of %s', async (_of, policies) => {
    const { service } = await bootService(quiet);
    const work = jest.fn(down);
    const { error } = await outcome(commandOf(service, policies).execute(work));
    expect(error).toEqual(new Error('down'));
    expect(work).toHaveBeenCalledTimes(1);
  });

  it.each(['ignore', 'skip'])('does not match: %s', async (word) => {
    const { service } = await bootService(quiet);
    const policies = { fallback: { handler: () => 'spare', [word]: [promise] } };
    await expect(commandOf(service, policies).execute(down)).resolves.toBe('spare');
  });

  it('leaves a result good: onResult', async () => {
    const { service } = await bootService(quiet);
    const policies = { circuitBreaker: { consecutiveFailures: 1, onResult: promise } };
    const command = commandOf(service, policies);
    await command.execute(() => 'good');
    expect(command.snapshot().circuitBreaker).toMatchObject({ state: 'closed' });
  });

  it.each([
    ['on', { retry: { on: [async () => true] } }],
    ['skip', { circuitBreaker: { skip: [TypeError, async () => true] } }],
    ['ignore', { fallback: { handler: () => 'spare', ignore: [async () => true] } }],
    ['handler[0].on', { fallback: [{ on: [async () => true], handler: () => 'spare' }] }],
    ['onResult', { retry: { onResult: async () => true } }],
    ['classify', { circuitBreaker: { classify: wrong(async () => 'failure') } }],
  ])('is reported when it is async: %s', async (option, policies) => {
    const { service } = await bootService(quiet);
    const problems = problemsBy(() => commandOf(service, wrong(policies)));
    expect(problems).toEqual([expect.stringContaining(`${option} is `)]);
    expect(problems).toEqual([expect.stringContaining('needed at once')]);
  });
});

describe('another function that returns a promise', () => {
  const async = wrong(async () => 1);
  const AT_ONCE = 'is an async function; use one that is not: its answer is needed at once';

  it.each([
    ['key', { circuitBreaker: { key: async } }],
    ['key', { bulkhead: { key: async } }],
    ['key', { rateLimit: { key: async } }],
    ['cost', { rateLimit: { cost: async } }],
    ['readyToTrip', { circuitBreaker: { readyToTrip: async } }],
    ['openFor', { circuitBreaker: { openFor: async } }],
    ['backoff', { retry: { backoff: async } }],
    ['staleIfError.key', { fallback: staleIfError({ ttl: '1m', key: async }) }],
    [
      'staleIfError.revive',
      { fallback: staleIfError({ ttl: '1m', key: () => 1, revive: async () => 1 }) },
    ],
  ])('is reported when it is async: %s of %j', async (option, policies) => {
    const { service } = await bootService(quiet, cached());
    const problems = problemsBy(() => commandOf(service, wrong(policies)));
    expect(problems).toEqual([expect.stringMatching(new RegExp(`[ .]${option} ${AT_ONCE}$`))]);
  });

  it('is reported when it is the name of an async method', async () => {
    class Books {
      @Bulkhead({ maxConcurrent: 1, key: 'tenantOf' })
      async find(): Promise<string> {
        return 'book';
      }
      async tenantOf(): Promise<string> {
        return 'tenant';
      }
    }
    await expect(bootService(quiet, { providers: [Books] })).rejects.toMatchObject({
      problems: [
        "Books.find @Bulkhead: key is 'tenantOf', an async method; use one that is not: its answer is needed at once",
      ],
    });
  });

  it.each(['readyToTrip', 'isSuccessful', 'isExcluded'])(
    'is reported when it is async: %s of gobreaker()',
    (setting) => {
      expect(problemsBy(() => gobreaker({ [setting]: async }))).toEqual([
        `gobreaker(): ${setting} ${AT_ONCE}`,
      ]);
    },
  );

  it('is reported when it is async: random of forRoot()', async () => {
    await expect(bootService({ ...quiet, random: async })).rejects.toMatchObject({
      problems: [`ResilienceModule.forRoot(): random ${AT_ONCE}`],
    });
  });

  it.each([
    ['the key of a breaker', { circuitBreaker: { key: promise } }],
    ['the key of a bulkhead', { bulkhead: { key: promise } }],
    ['the key of a limit', { rateLimit: { key: promise } }],
    ['the cost', { rateLimit: { cost: promise } }],
  ])('fails its call with an explanation: %s', async (_what, policies) => {
    const { service } = await bootService(quiet);
    const result = commandOf(service, policies).execute(() => 'result');
    await expect(result).rejects.toThrow('is a promise; use a');
  });

  it.each([
    ['the key', { key: promise }],
    ['revive', { key: () => 'same', revive: promise }],
  ])('gives no stale answer: %s', async (_what, options) => {
    const { service } = await bootService(quiet, cached());
    const command = commandOf(service, { fallback: staleIfError({ ttl: '1m', ...options }) });
    await command.execute(() => 'kept');
    await expect(command.execute(down)).rejects.toThrow('down');
  });
});
