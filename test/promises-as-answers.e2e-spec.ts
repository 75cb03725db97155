import { type ResilienceModuleOptions, staleIfError } from '../src/index.js';
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
    expect(problems).toEqual([expect.stringContaining('not async')]);
  });
});

describe('another function that returns a promise', () => {
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
