import { Injectable, Module } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import {
  CircuitBreaker,
  ResilienceModule,
  type ResilienceModuleOptions,
  Retry,
  constant,
  staleIfError,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { problemsBy, problemsOf, wrong } from './support/commands.js';

/*
 * Options that nobody uses may be for a module to come, or for another service with the same file. So they need no user, but
 * they are checked: a misspelt one may be the very reason why nobody uses it.
 */

afterEach(closeAll);

@Injectable()
class Books {
  @Retry({ config: 'patient' })
  @CircuitBreaker('storagesvc')
  async all(): Promise<string[]> {
    return [];
  }
}

const problemsWith = (resilience: object) =>
  problemsOf({ providers: [Books], resilience: { configs: { patient: {} }, ...resilience } });

const misspelt = { maxWaits: '1s' };

describe('a mistake in options that nobody uses is a problem', () => {
  it.each<[string, object, string]>([
    [
      'defaults',
      { defaults: { bulkhead: misspelt } },
      'defaults.bulkhead: maxWaits is not an option',
    ],
    [
      'a configuration',
      { configs: { patient: {}, other: { retry: { maxRetries: -1 } } } },
      "configs['other'].retry: maxRetries is -1; use a whole number of at least 0",
    ],
    [
      'a configuration that others use for another policy',
      { configs: { patient: { bulkhead: misspelt } } },
      "configs['patient'].bulkhead: maxWaits is not an option",
    ],
    [
      'a configuration with the name of a breaker',
      { configs: { patient: {}, storagesvc: { rateLimit: { limt: 1 } } } },
      "configs['storagesvc'].rateLimit: limt is not an option",
    ],
    [
      'a configuration that another unused one extends',
      { configs: { patient: {}, a: { extends: 'b' }, b: { timeout: 'soon' } } },
      "configs['b'].timeout: attempt is 'soon'; use ",
    ],
    [
      'overrides for all',
      { overrides: { '*': { timeout: { atempt: '1s' } } } },
      "overrides['*'].timeout: atempt is not an option",
    ],
    [
      'a short form',
      { defaults: { bulkhead: 0 } },
      'defaults.bulkhead: maxConcurrent is 0; use a whole number of at least 1',
    ],
    [
      'the switch',
      { defaults: { bulkhead: { enabled: 'no' } } },
      "defaults.bulkhead: enabled is 'no'; use true or false",
    ],
    [
      'a fallback',
      { defaults: { fallback: { maxConcurent: 1 } } },
      'defaults.fallback: maxConcurent is not an option',
    ],
    [
      'a fallback of a pipeline',
      {
        pipelines: {
          mail: { fallback: { handler: staleIfError(wrong({ ttl: '1m', tll: '1m' })) } },
        },
      },
      "pipelines['mail'].fallback: staleIfError.tll is not an option",
    ],
    [
      'an option that is an object',
      { configs: { patient: {}, other: { circuitBreaker: { halfOpen: { calls: 1 } } } } },
      "configs['other'].circuitBreaker: halfOpen.calls is not an option",
    ],
    [
      'a backoff',
      { configs: { patient: {}, other: { retry: { backoff: constant('soon' as never) } } } },
      "configs['other'].retry: backoff.delay is 'soon'",
    ],
  ])('in %s', async (_, resilience, told) => {
    expect(await problemsWith(resilience)).toEqual([expect.stringContaining(told)]);
  });

  it.each([
    ['defaults', { defaults: { retry: misspelt } }, false],
    ['defaults that nobody uses', { defaults: { bulkhead: misspelt } }, false],
    ['overrides', { overrides: { Books: { retry: misspelt } } }, false],
    ['overrides that nobody uses', { overrides: { '*': { bulkhead: misspelt } } }, false],
    ['a configuration', { configs: { patient: { retry: misspelt } } }, false],
    ['a configuration that nobody uses', { configs: { patient: { bulkhead: misspelt } } }, false],
    ['a pipeline', { pipelines: { mail: { retry: misspelt } } }, true],
  ])('which lists `config` only where it may be: %s', async (_of, resilience, may) => {
    const problems = await problemsWith(resilience);
    expect(problems).toEqual([expect.stringMatching(/maxWaits .*is not an option.*\benabled\b/)]);
    expect(problems[0]!.split(/, |options are /).includes('config')).toBe(may);
  });

  it('once, with all others, and not with its users too', async () => {
    const resilience = {
      defaults: { retry: { maxRetry: 1 }, bulkhead: misspelt },
      configs: { patient: { retry: { backof: 1 }, timeout: { total: -1 } } },
    };
    expect(await problemsWith(resilience)).toEqual([
      expect.stringContaining('Books.all @Retry: maxRetry (from defaults) is not an option'),
      expect.stringContaining(
        "Books.all @Retry: backof (from configs['patient']) is not an option",
      ),
      expect.stringContaining('defaults.bulkhead: maxWaits is not an option'),
      expect.stringContaining("configs['patient'].timeout: total is -1"),
    ]);
  });

  it('in a feature module', async () => {
    const feature = ResilienceModule.forFeature({ configs: { a: { bulkhead: wrong(misspelt) } } });
    expect(await problemsOf({ imports: [feature] })).toEqual([
      expect.stringContaining("configs['a'].bulkhead: maxWaits is not an option"),
    ]);
  });

  it('in a feature module that is loaded lazily, which then brings nothing', async () => {
    const { app, service } = await boot({});
    const configs = { a: { bulkhead: wrong(misspelt) } };
    const pipelines = { mail: { retry: { maxRetry: 1 } as object } };
    @Module({ imports: [ResilienceModule.forFeature({ configs, pipelines })] })
    class Late {}
    const load = app.get(LazyModuleLoader).load(() => Late);
    await expect(load).rejects.toThrow("configs['a'].bulkhead: maxWaits is not an option");
    await expect(load).rejects.toThrow("pipeline 'mail' retry: maxRetry (from pipelines['mail'])");
    expect(problemsBy(() => service.pipeline('mail'))).toEqual([
      expect.stringContaining("pipeline 'mail': there is none"),
    ]);
  });

  it('in a change while the application runs', async () => {
    const { service } = await boot({
      providers: [Books],
      resilience: { configs: { patient: {} } },
    });
    expect(problemsBy(() => service.configure('*', { bulkhead: wrong(misspelt) }))).toEqual([
      expect.stringContaining("configure('*').bulkhead: maxWaits is not an option"),
    ]);
    service.configure('*', { bulkhead: 3 });
  });
});

describe('options that nobody uses may', () => {
  it.each<[string, ResilienceModuleOptions]>([
    ['need those of the user', { defaults: { bulkhead: { maxWait: '1s' } } }],
    ['lack what only the user knows', { defaults: { fallback: { maxConcurrent: 1 } } }],
    [
      'name methods of the user',
      {
        defaults: {
          fallback: { handler: 'spare' },
          bulkhead: { key: 'host' },
          rateLimit: { cost: 'size' },
        },
      },
    ],
    ['need a cache', { defaults: { fallback: staleIfError({ ttl: '1m' }) } }],
    ['need a store', { defaults: { bulkhead: { scope: 'shared' } } }],
    ['be switched off', { defaults: { bulkhead: { enabled: false, ...misspelt } as object } }],
    ['be empty', { defaults: { bulkhead: {} }, configs: { a: {}, b: { extends: 'a' } } }],
    [
      'have a class as a fallback',
      {
        defaults: {
          fallback: class Spare {
            handle() {}
          },
        },
      },
    ],
  ])('%s', async (_, resilience) => {
    await boot({ resilience });
  });
});
