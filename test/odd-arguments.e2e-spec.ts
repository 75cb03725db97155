import { Injectable } from '@nestjs/common';
import {
  type ResilienceService,
  Fallback,
  Retry,
  UsePipeline,
  constant,
  fallbackValue,
  gobreaker,
  overridesFromEnv,
} from '../src/index.js';
import { closeAll } from './support/boot.js';
import { ROOT, classWith } from './support/bootstrap.js';
import { bootService, making, problemsBy, problemsOf, wrong } from './support/commands.js';

afterEach(closeAll);

/** Untyped code can give anything. */
const retry = { retry: { maxRetries: 2 } };

class Books {
  @Retry({ maxRetries: 1 })
  async all(): Promise<string[]> {
    return [];
  }
}
Injectable()(Books);

describe('while the application runs', () => {
  it.each<[string, (service: ResilienceService) => unknown]>([
    [
      `HTTP client 'fetch': the options are 7; use an object`,
      (service) => service.createFetch(wrong(7)),
    ],
    [
      `HTTP client 'fetch': the options are null; use an object`,
      (service) => service.createFetch(wrong(null)),
    ],
    [
      `HTTP client 'books': fetch is 5; use a function with the parameters of fetch`,
      (service) => service.createFetch({ name: 'books', fetch: wrong(5) }),
    ],
    [
      `HTTP client 'fetch': retryMethods is 'GET'; use a list of methods, such as ['GET', 'POST']`,
      (service) => service.createFetch({ retryMethods: wrong('GET') }),
    ],
    [
      `configure('Books'): by is 7; use a string`,
      (service) => service.configure('Books', retry, { by: wrong(7) }),
    ],
    [
      `configure('Books'): reason is { text: 'slow' }; use a string`,
      (service) => service.configure('Books', null, { reason: wrong({ text: 'slow' }) }),
    ],
    [
      `configure('Books'): scop is not an option; the options are by, reason, scope, until`,
      (service) => service.configure('Books', retry, wrong({ scop: 'shared' })),
    ],
    [
      `configure('Books'): the note is null; use { by, reason, scope, until }`,
      (service) => service.configure('Books', retry, wrong(null)),
    ],
    [
      `configure(7): the patch has 7, which is not a decorated class or method, a command, `,
      (service) => service.configure(wrong(7), retry),
    ],
    [
      'gobreaker(): maxRequest is not an option; the options are readyToTrip, ',
      () => gobreaker(wrong({ maxRequest: 3 })),
    ],
    [
      'gobreaker(): isExcluded is true; use a function',
      () => gobreaker({ isExcluded: wrong(true) }),
    ],
    ['gobreaker(): the settings are null; use an object', () => gobreaker(wrong(null))],
  ])('is a problem: %s', async (told, use) => {
    const { service } = await bootService({}, { providers: [Books] });
    const problems = problemsBy(() => use(service));
    expect(problems).toEqual([expect.stringContaining(told)]);
    expect(service.describe(Books, 'all').policies).toEqual([
      { kind: 'retry', options: { maxRetries: 1 } },
    ]);
  });

  it('tells the problems of the note and of the patch together', async () => {
    const { service } = await bootService({}, { providers: [Books] });
    const patch = { retry: { maxRetries: -1 } };
    const note = { by: wrong(7), scope: wrong('all') };
    expect(problemsBy(() => service.configure('Books', patch, note))).toEqual([
      `configure('Books'): by is 7; use a string`,
      `configure('Books'): scope is 'all'; use 'local' or 'shared'`,
      `Books.all @Retry: maxRetries (from configure('Books')) is -1; use a whole number of at least 0`,
    ]);
  });
});

describe('the application does not start', () => {
  it.each<[string, ...Parameters<typeof overridesFromEnv>]>([
    [`the only option is prefix, not 'prefx'`, {}, wrong({ prefx: 'BOOKS' })],
    [`the options are 'BOOKS'; use { prefix }`, {}, wrong('BOOKS')],
    [`the variables are Map(0) {}; use process.env, or an object`, wrong(new Map()), {}],
  ])('with variables: %s', async (told, env, options) => {
    const overrides = overridesFromEnv(env, options);
    expect(await problemsOf({ resilience: { overrides } })).toEqual([
      expect.stringContaining(`${ROOT} overridesFromEnv(): ${told}`),
    ]);
  });

  it.each<[string, (service: ResilienceService) => unknown]>([
    [
      `pipeline 'p': order is 7; use a list of `,
      (service) => service.pipeline('p', { ...retry, order: wrong(7) }),
    ],
    [
      `HTTP client 'fetch': order is {}; use a list of `,
      (service) => service.createFetch({ order: wrong({}) }),
    ],
    [
      `protect 'o': methods is 7; use an object with policies by method`,
      (service) => service.protect({}, { name: 'o', methods: wrong(7), '*': 'p' }),
    ],
    [
      `protect 'o': members is { user: true }; use a list of names`,
      (service) => service.protect({}, { name: 'o', '*': 'p', members: wrong({ user: true }) }),
    ],
    [
      `command Symbol(find): the name is Symbol(find); use a non-empty string`,
      (service) => service.command(wrong(Symbol('find')), { run: () => 1 }),
    ],
    [
      `command 'c': pipeline is Symbol(p); use the name of one`,
      (service) => service.command('c', { run: () => 1, pipeline: wrong(Symbol('p')) }),
    ],
    [
      `pipeline Symbol(p): the name is Symbol(p); use a non-empty string`,
      (service) => service.pipeline(wrong(Symbol('p')), retry),
    ],
    [
      `HTTP client Symbol(h): name is Symbol(h); use a non-empty string`,
      (service) => service.createFetch({ name: wrong(Symbol('h')) }),
    ],
  ])('with what a provider makes: %s', async (told, make) => {
    const problems = await problemsOf({
      providers: [classWith('Other', Retry({ maxRetries: -1 })), making(make)],
    });
    expect(problems).toContainEqual(expect.stringContaining(told));
    expect(problems).toContainEqual(expect.stringContaining('Other.m @Retry: maxRetries is -1'));
  });

  it('with an odd order of a pipeline in use', async () => {
    const pipelines = { p: { ...retry, order: wrong(7) as never } };
    const providers = [classWith('Books', UsePipeline('p'))];
    expect(await problemsOf({ resilience: { pipelines }, providers })).toEqual([
      expect.stringContaining(`${ROOT} pipelines['p'].order is 7; use a list of `),
    ]);
  });

  it.each<[string, ...Parameters<typeof classWith>]>([
    [
      'AnswerOptions.m @Fallback: the options are 5; use an object',
      'AnswerOptions',
      Fallback(fallbackValue(1), wrong(5)),
    ],
    [
      `Delay.m @Retry: backoff is { kind: 'constant', options: 'full' }; use exponential()`,
      'Delay',
      Retry({ backoff: constant('1s', wrong('full')) }),
    ],
  ])('%s', async (told, ...given) => {
    const problems = await problemsOf({ providers: [classWith(...given)] });
    expect(problems).toContainEqual(expect.stringContaining(told));
  });
});
