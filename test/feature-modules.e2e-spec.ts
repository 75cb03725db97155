import { Injectable, Module, type Type } from '@nestjs/common';
import { LazyModuleLoader, NestFactory } from '@nestjs/core';
import {
  CircuitBreaker,
  type NamedPipeline,
  type ResilienceFeatureOptions,
  ResilienceModule,
  ResilienceService,
  Retry,
  UsePipeline,
} from '../src/index.js';
import { boot, closeAll, quiet } from './support/boot.js';
import { problemsOf } from './support/commands.js';

afterEach(closeAll);

@Injectable()
class Books {
  readonly mail: NamedPipeline;

  constructor(resilience: ResilienceService) {
    this.mail = resilience.pipeline('mail');
  }

  @Retry({ config: 'patient' })
  async find(): Promise<void> {}

  @UsePipeline('mail')
  async send(): Promise<void> {}

  @CircuitBreaker({ openFor: '1s' })
  async order(): Promise<void> {}
}

const books: ResilienceFeatureOptions = {
  configs: { patient: { extends: 'base', retry: { maxRetries: 7 } } },
  pipelines: { mail: { timeout: '5s' } },
  overrides: { Books: { circuitBreaker: { openFor: '9s' } } },
};

function feature(name: string, options: ResilienceFeatureOptions, providers: Type[] = []): Type {
  const type = { [name]: class {} }[name] as Type;
  Module({ imports: [ResilienceModule.forFeature(options)], providers })(type);
  return type;
}

const configs = { base: { retry: { maxElapsedTime: '1m' } } } as const;

describe('forFeature() brings', () => {
  it('configurations, pipelines and overrides, before anything of the application is made', async () => {
    const { app, service } = await boot({
      imports: [feature('BooksModule', books, [Books])],
      resilience: { configs },
    });
    const optionsOf = (method: string): unknown =>
      service.describe(Books, method).policies[0]?.options;
    expect(optionsOf('find')).toEqual({ maxRetries: 7, maxElapsedTime: '1m' });
    expect(optionsOf('send')).toEqual({ attempt: '5s' });
    expect(optionsOf('order')).toEqual({ openFor: '9s' });
    await expect(app.get(Books).mail.execute(() => 'sent')).resolves.toBe('sent');
  });

  it('the configurations of several modules, combined', async () => {
    const { service } = await boot({
      imports: [
        feature('BooksModule', books, [Books]),
        feature('OtherModule', {
          overrides: { Books: { retry: { maxRetries: 1 } }, '*': { timeout: { attempt: '4s' } } },
        }),
      ],
      resilience: { configs, overrides: { '*': { retry: { maxElapsedTime: '2m' } } } },
    });
    expect(service.describe(Books, 'find').policies[0]?.options).toEqual({
      maxRetries: 1,
      maxElapsedTime: '2m',
    });
    expect(service.describe(Books, 'send').policies[0]?.options).toEqual({ attempt: '4s' });
  });

  it('the same from two modules without a problem', async () => {
    const shared = ResilienceModule.forFeature(books);
    @Module({ imports: [shared] })
    class OneModule {}
    @Module({ imports: [shared], providers: [Books] })
    class OtherModule {}
    const { app } = await boot({
      imports: [OneModule, OtherModule, feature('ThirdModule', books)],
      resilience: { configs },
    });
    await expect(app.get(Books).find()).resolves.toBeUndefined();
  });

  it('functions, compared by identity', async () => {
    const skipping = (type: Function): ResilienceFeatureOptions => ({
      pipelines: { [type.name]: { retry: { skip: [(error) => error instanceof type] } } },
    });
    const { service } = await boot({
      imports: [feature('A', skipping(RangeError)), feature('B', skipping(SyntaxError))],
    });
    expect(service.pipeline('RangeError').describe().stages).toEqual(['retry']);
    expect(service.pipeline('SyntaxError').describe().stages).toEqual(['retry']);
  });

  it('configurations to classes of its module that are loaded lazily', async () => {
    const { app, service } = await boot({ resilience: { configs } });
    await app
      .get(LazyModuleLoader)
      .load(() => feature('LazyModule', { ...books, overrides: {} }, [Books]));
    expect(service.describe(Books, 'find').policies[0]?.options).toMatchObject({ maxRetries: 7 });
  });
});

describe('bootstrap reports of feature modules', () => {
  it('contradictions between two of them, or one and the root, with both places', async () => {
    const problems = await problemsOf({
      imports: [
        feature('BooksModule', books, [Books]),
        feature('OtherModule', {
          configs: { patient: { retry: { maxRetries: 5 } } },
          pipelines: { mail: { timeout: { attempt: '5s' } } },
          overrides: { Books: { circuitBreaker: { openFor: '8s' } } },
        }),
      ],
      resilience: { configs: { ...configs, patient: { retry: { maxRetries: 1 } } } },
    });
    const [root, one, other] = [
      'forRoot()',
      'forFeature() of BooksModule',
      'forFeature() of OtherModule',
    ].map((place) => `ResilienceModule.${place}`);
    expect(problems).toEqual([
      `${one}: configs['patient'] is given in ${root} too: retry is { maxRetries: 1 } there and { maxRetries: 7 } here, extends is undefined there and 'base' here; give it once`,
      `${other}: configs['patient'] is given in ${root} too: retry is { maxRetries: 1 } there and { maxRetries: 5 } here; give it once`,
      `${other}: pipelines['mail'] is given in ${one} too: timeout is '5s' there and { attempt: '5s' } here; give it once`,
      `${other}: overrides['Books'].circuitBreaker is given in ${one} too: openFor is '9s' there and '8s' here; give it once`,
    ]);
  });

  it.each<[string, unknown, string]>([
    ['options that are none', undefined, 'the options are undefined; use an object'],
    ['a group that is none', { configs: [] }, 'configs is []; use an object'],
    [
      'what is for the root alone',
      { defaults: {} },
      'defaults is not an option; the options are configs, pipelines, overrides',
    ],
    [
      'an unknown policy',
      { pipelines: { mail: { retries: {} } } },
      `pipelines['mail'] has "retries", which is not a policy; the policies are fallback, timeout, retry, circuitBreaker, rateLimit, bulkhead`,
    ],
  ])('%s', async (_, options, told) => {
    const problems = await problemsOf({
      imports: [feature('BooksModule', options as ResilienceFeatureOptions)],
    });
    expect(problems).toContain(`ResilienceModule.forFeature() of BooksModule: ${told}`);
  });

  it('an override without a target', async () => {
    const problems = await problemsOf({
      imports: [feature('BooksModule', { overrides: { Bocks: { retry: { maxRetries: 1 } } } })],
    });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("overrides has 'Bocks', which is not");
  });

  it('that forRoot() is missing', async () => {
    await expect(
      NestFactory.createApplicationContext(feature('BooksModule', {}), quiet),
    ).rejects.toThrow('imported without forRoot()');
  });
});

it('a lazily loaded module with a wrong configuration is not loaded, and leaves no trace', async () => {
  const { app, service } = await boot({ resilience: { configs } });
  const loader = app.get(LazyModuleLoader);
  const wrong = feature('Wrong', { configs: { base: { retry: { maxRetries: 1 } } } });
  await expect(loader.load(() => wrong)).rejects.toThrow("configs['base'] is given in");
  await loader.load(() => feature('Right', { pipelines: { base: { timeout: 1 } } }));
  expect(service.pipeline('base').describe().stages).toEqual(['attempt timeout']);
});
