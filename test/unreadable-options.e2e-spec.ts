import { Injectable, Module, type Type } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  ResilienceModule,
  type ResilienceModuleOptions,
  type ResilienceService,
  Retry,
  constant,
  exponential,
  fallbackValue,
  gobreaker,
  hystrix,
  overridesFromEnv,
  staleIfError,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { classWith } from './support/bootstrap.js';
import { bootService, problemsBy, problemsOf } from './support/commands.js';

afterEach(closeAll);

/** Options of any type that cannot be read: a getter that throws, and proxies. */
const unreadable: Record<string, (option: string) => never> = {
  'a getter that throws': (option) =>
    Object.defineProperty({}, option, {
      enumerable: true,
      get() {
        throw new Error('no such setting');
      },
    }) as never,
  'a proxy that throws': () =>
    new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('no such setting');
        },
      },
    ) as never,
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy as never;
  },
};

class Books {
  @Retry({ maxRetries: 1 })
  async all(): Promise<string[]> {
    return [];
  }
}
Injectable()(Books);

const decorated = (
  ...decorators: Parameters<typeof classWith> extends [string, ...infer D] ? D : never
): Type => classWith('Odd', ...decorators);

describe.each(Object.entries(unreadable))('the application does not start with %s', (_, odd) => {
  it.each<[string, () => Type]>([
    ['Odd.m @Retry', () => decorated(Retry(odd('maxRetries')))],
    ['Odd.m @Retry', () => decorated(Retry({ on: odd('on') }))],
    ['Odd.m @Retry', () => decorated(Retry({ backoff: odd('kind') }))],
    ['Odd.m @Retry', () => decorated(Retry({ backoff: exponential(odd('maxDelay')) }))],
    ['Odd.m @Retry', () => decorated(Retry({ backoff: constant('1s', odd('jitter')) }))],
    ['Odd.m @CircuitBreaker', () => decorated(CircuitBreaker({ halfOpen: odd('maxCalls') }))],
    ['Odd.m @CircuitBreaker', () => decorated(CircuitBreaker({ window: odd('calls') }))],
    ['Odd.m @CircuitBreaker', () => decorated(CircuitBreaker({ scope: odd('quorum') }))],
    ['Odd.m @Fallback', () => decorated(Fallback(fallbackValue(1), odd('ignore')))],
    ['Odd.m @Fallback', () => decorated(Fallback(odd('kind')))],
    ['Odd.m @Fallback', () => decorated(Fallback(staleIfError(odd('ttl'))))],
  ])('of %s', async (place, make) => {
    const problems = await problemsOf({ providers: [make()] });
    for (const problem of problems) expect(problem).toContain(`${place}: `);
    expect(problems.join()).toMatch(/unreadable|\[Getter\]|Unreadable/);
  });

  it.each<keyof ResilienceModuleOptions>([
    'defaults',
    'configs',
    'pipelines',
    'overrides',
    'clock',
    'store',
    'fleet',
    'logging',
  ])('in forRoot({ %s })', async (option) => {
    const resilience = { [option]: odd('retry') } as ResilienceModuleOptions;
    expect((await problemsOf({ resilience })).join()).toMatch(
      new RegExp(`^ResilienceModule.forRoot\\(\\): ${option}.*`),
    );
  });

  it('in the place of the options of forRoot() and forFeature()', async () => {
    @Module({ imports: [ResilienceModule.forRoot(odd('overrides'))] })
    class Root {}
    expect(await problemsOf({ resilience: false, imports: [Root] })).toEqual([
      expect.stringMatching(/^ResilienceModule.forRoot\(\): .*unreadable: /),
    ]);
    const imports = [ResilienceModule.forFeature(odd('pipelines'))];
    expect(await problemsOf({ imports })).toEqual([
      expect.stringMatching(/^ResilienceModule.forFeature\(\) of AppModule: .*unreadable: /),
    ]);
  });

  it.each<[string, () => ResilienceModuleOptions]>([
    [`defaults.retry`, () => ({ defaults: { retry: odd('on') } })],
    [`pipelines['mail']`, () => ({ pipelines: { mail: odd('retry') } })],
    [`configs['mail']`, () => ({ configs: { mail: odd('retry') } })],
    [`overrides['Books']`, () => ({ overrides: { Books: odd('retry') } })],
    [`overrides['Books']`, () => ({ overrides: [{ Books: odd('retry') }] })],
    [`overrides[0]`, () => ({ overrides: [odd('Books')] })],
    [
      `overridesFromEnv()`,
      () => ({ overrides: overridesFromEnv(odd('RESILIENCE__ALL__RETRY__CONFIG')) }),
    ],
    [`overridesFromEnv()`, () => ({ overrides: overridesFromEnv({}, odd('prefix')) })],
  ])('in %s', async (_path, make) => {
    const problems = await problemsOf({ providers: [Books], resilience: make() });
    expect(problems.join()).toMatch(/unreadable: /);
  });
});

it('tells the option and the error, with all other problems', async () => {
  const odd = unreadable['a getter that throws']!;
  const problems = await problemsOf({
    providers: [
      classWith('One', Retry(odd('maxRetries'))),
      classWith('Two', Retry({ maxRetries: -1 })),
    ],
    resilience: { overrides: { '*': { timeout: odd('total') } } },
  });
  expect(problems).toEqual([
    'One.m @Retry: maxRetries is unreadable: Error: no such setting; use a whole number of at least 0',
    'Two.m @Retry: maxRetries is -1; use a whole number of at least 0',
    expect.stringContaining("overrides['*'].timeout: total is unreadable: Error: no such setting"),
  ]);
});

describe.each(Object.entries(unreadable))('%s, while the application runs,', (_, odd) => {
  it.each<[string, (service: ResilienceService) => unknown]>([
    [`command 'c'`, (service) => service.command('c', odd('run'))],
    [`command 'c'`, (service) => service.command('c', { run: () => 1, retry: odd('maxRetries') })],
    [`command 'c'`, (service) => service.command('c', { run: () => 1, fallback: odd('kind') })],
    [`pipeline 'p'`, (service) => service.pipeline('p', odd('retry'))],
    [`pipeline 'p'`, (service) => service.pipeline('p', { retry: odd('maxRetries') })],
    [`protect `, (service) => service.protect({}, odd('name'))],
    [`protect 'o'`, (service) => service.protect({}, { name: 'o', methods: odd('m') })],
    [`HTTP client 'fetch'`, (service) => service.createFetch(odd('retry'))],
    [`HTTP client 'fetch'`, (service) => service.createFetch({ retry: odd('maxRetries') })],
    [`configure('Books')`, (service) => service.configure('Books', odd('retry'))],
    [`configure('Books')`, (service) => service.configure('Books', { retry: odd('maxRetries') })],
    [`configure('Books')`, (service) => service.configure('Books', null, odd('by'))],
    [`hystrix()`, () => hystrix(odd('timeout'))],
    [`gobreaker()`, () => gobreaker(odd('isExcluded'))],
  ])('is a problem of %s', async (place, use) => {
    const { service } = await bootService({}, { providers: [Books] });
    const problems = problemsBy(() => use(service));
    expect(problems.join()).toMatch(/unreadable: /);
    for (const problem of problems) expect(problem).toContain(place);
  });
});

describe('options whose getters work', () => {
  class Settings {
    get maxRetries(): number {
      return 7;
    }
  }

  it.each([
    [
      'of an object',
      {
        get maxRetries() {
          return 7;
        },
      },
    ],
    ['of a class', new Settings()],
    ['of a proxy', new Proxy({ maxRetries: 7 }, {})],
  ])('are options: %s', async (_, retry) => {
    const Odd = decorated(Retry(retry));
    const { service } = await boot({ providers: [Odd] });
    expect(service.describe(Odd, 'm').policies).toEqual([
      { kind: 'retry', options: { maxRetries: 7 } },
    ]);
  });

  it('are read when the application starts', async () => {
    const settings: { retries?: number } = {};
    const Odd = decorated(
      Retry({
        get maxRetries() {
          return settings.retries!;
        },
      }),
    );
    settings.retries = 6;
    const { service } = await boot({ providers: [Odd] });
    expect(service.describe(Odd, 'm').policies).toEqual([
      { kind: 'retry', options: { maxRetries: 6 } },
    ]);
  });
});
