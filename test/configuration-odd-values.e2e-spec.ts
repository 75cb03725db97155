import { Injectable } from '@nestjs/common';
import { type ResilienceModuleOptions, Retry, UsePipeline } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { problemsOf } from './support/commands.js';

afterEach(closeAll);

@Injectable()
class Books {
  @Retry({ maxRetries: 1 })
  async all(): Promise<string[]> {
    return [];
  }
}

class RetrySettings {
  maxRetries = 5;
}

/** Neither the compiler nor a file's parser prevents these. */
const noOptions: readonly [string, unknown][] = [
  ['a list', []],
  ['a map', new Map([['maxRetries', 2]])],
  ['a date', new Date(0)],
  ['a function', () => ({ maxRetries: 2 })],
  ['a number', 5],
];

function start(resilience: object) {
  return boot({ providers: [Books], resilience: resilience as ResilienceModuleOptions });
}

const maxRetries = ({ service }: Awaited<ReturnType<typeof boot>>): unknown =>
  service.describe(Books, 'all').policies.find(({ kind }) => kind === 'retry')?.options;

describe.each(noOptions)('%s in the place of options', (_, retry) => {
  it.each([
    ['overrides', { overrides: { 'Books.all': { retry } } }],
    ['defaults', { defaults: { retry } }],
    ['configs', { configs: { patient: { retry } } }],
    ['pipelines', { pipelines: { mail: { retry } } }],
  ])('is a problem in %s', async (_group, resilience) => {
    await expect(start(resilience)).rejects.toThrow(/retry is .*use an object with options/);
  });

  it('is a problem of a decorator', async () => {
    class Others {
      @Retry(retry as object)
      async all(): Promise<string[]> {
        return [];
      }
    }
    await expect(boot({ providers: [Others] })).rejects.toThrow(/the options are .*use an object/);
  });

  it('changes nothing while the application runs, and says why', async () => {
    const booted = await start({});
    const patch = { retry } as object;
    expect(() => booted.service.configure('Books.all', patch)).toThrow(
      /use an object with options/,
    );
    expect(maxRetries(booted)).toEqual({ maxRetries: 1 });
  });
});

describe('null in the place of a set of policies', () => {
  // As YAML reads a name with nothing after it.
  @Injectable()
  class Patient {
    @Retry({ config: 'patient' })
    async all(): Promise<string[]> {
      return [];
    }

    @UsePipeline('mail')
    async mail(): Promise<void> {}
  }

  it.each([
    ['a configuration', 'configs', 'patient'],
    ['a configuration that another one extends', 'configs', 'base'],
    ['a pipeline', 'pipelines', 'mail'],
    ['overrides', 'overrides', 'Patient.all'],
    ['overrides for all', 'overrides', '*'],
  ])('is one problem of %s in use', async (_, group, name) => {
    const resilience: Record<string, Record<string, unknown>> = {
      configs: { patient: { extends: 'base' }, base: {} },
      pipelines: { mail: {} },
    };
    resilience[group] = { ...resilience[group], [name]: null };
    expect(await problemsOf({ providers: [Patient], resilience })).toEqual([
      `ResilienceModule.forRoot(): ${group}['${name}'] is null; use an object with options by policy`,
    ]);
  });
});

describe('options of a class of the application', () => {
  it.each([
    [
      'a class with a tag',
      new (class extends RetrySettings {
        readonly [Symbol.toStringTag] = 'Retry';
      })(),
    ],
    [
      'a module',
      Object.assign(Object.create(null) as object, {
        maxRetries: 5,
        [Symbol.toStringTag]: 'Module',
      }),
    ],
  ])('may be %s', async (_, retry) => {
    class Others {
      @Retry(retry)
      async all(): Promise<string[]> {
        return [];
      }
    }
    await boot({ providers: [Others] });
    expect(maxRetries(await start({ overrides: { Books: { retry } } }))).toEqual({ maxRetries: 5 });
  });

  it('are options in overrides', async () => {
    const retry = new RetrySettings();
    expect(maxRetries(await start({ overrides: { Books: { retry } } }))).toEqual({ maxRetries: 5 });
  });

  it('are options in a list of overrides, which are merged', async () => {
    const overrides = [{ Books: { retry: new RetrySettings() } }, { Books: { retry: { on: [] } } }];
    expect(maxRetries(await start({ overrides }))).toEqual({ maxRetries: 5, on: [] });
  });

  it('are options while the application runs', async () => {
    const booted = await start({});
    booted.service.configure('Books', { retry: new RetrySettings() });
    expect(maxRetries(booted)).toEqual({ maxRetries: 5 });
  });
});

describe('an option that is called __proto__', () => {
  const retry = JSON.parse('{ "__proto__": { "maxRetries": 9 } }') as object;

  it('is an unknown option, and sets no others', async () => {
    const named = /Books\.all @Retry: __proto__ .*is not an option/;
    await expect(start({ overrides: { 'Books.all': { retry } } })).rejects.toThrow(named);
    const booted = await start({});
    expect(() => booted.service.configure('Books.all', { retry })).toThrow(named);
    expect(maxRetries(booted)).toEqual({ maxRetries: 1 });
  });
});

it('tells an unknown policy of a patch, though it would be taken back', async () => {
  const { service } = await start({});
  const patch = { retri: null } as object;
  expect(() => service.configure('Books.all', patch)).toThrow(/has "retri", which is not a policy/);
});
