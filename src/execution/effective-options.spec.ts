import { Problems } from '../common/options-reader.js';
import { Configuration } from './configuration/configuration.js';
import { effectiveOptions, isShared, kindsOf } from './effective-options.js';
import type { ResilienceModuleOptions } from './module-options.js';

interface Given {
  readonly own?: unknown;
  readonly pipeline?: string;
  readonly kind?: string;
}

/** The options in force for the retry of `S.m`. */
function read(
  { own = {}, pipeline, kind = 'retry' }: Given,
  options: ResilienceModuleOptions = {},
) {
  const problems = new Problems();
  const subject = {
    pipeline,
    policies: new Map([[kind, own as object]]),
    overrideKeys: ['S', 'S.m'],
  };
  const { layers } = new Configuration(options);
  const found = effectiveOptions(kind, subject as never, 'S.m @Retry', layers, problems);
  return { ...found, problems: problems.all };
}

const layers: ResilienceModuleOptions = {
  defaults: { retry: { maxRetries: 1, maxElapsedTime: '1m' } },
  configs: { patient: { retry: { maxRetries: 2 } } },
  pipelines: { books: { retry: { maxRetries: 3 } } },
  overrides: {
    '*': { retry: { maxRetries: 5 } },
    S: { retry: { maxRetries: 6 } },
    'S.m': { retry: { maxRetries: 7 } },
  },
};

describe('an option comes from', () => {
  it.each([
    ['defaults', { own: {} }, { defaults: layers.defaults }],
    ["configs['patient']", { own: { config: 'patient' } }, { configs: layers.configs }],
    ["pipelines['books']", { pipeline: 'books' }, { pipelines: layers.pipelines }],
    ["overrides['*']", { own: {} }, { overrides: { '*': { retry: { maxRetries: 5 } } } }],
    ["overrides['S.m']", { own: { config: 'patient' }, pipeline: 'books' }, layers],
  ])('%s', (origin, given, options) => {
    const { originOf } = read(given, options);
    expect(originOf('maxRetries')).toBe(origin);
    expect(originOf('backoff')).toBeUndefined();
  });

  it('the subject itself, whatever other layers say', () => {
    const { originOf, options } = read({ own: { maxRetries: 4 } }, { defaults: layers.defaults! });
    expect(originOf('maxRetries')).toBeUndefined();
    expect(originOf('maxElapsedTime')).toBe('defaults');
    expect(options).toEqual({ maxRetries: 4, maxElapsedTime: '1m' });
  });
});

describe('a configuration', () => {
  it('is not an option itself', () => {
    const { options, kind } = read({ own: { config: 'patient' } }, layers);
    expect(kind).toBe('retry');
    expect(options).toEqual({ maxRetries: 7, maxElapsedTime: '1m' });
  });

  it('may have nothing to say on the policy', () => {
    const { options, problems } = read(
      { own: { config: 'patient' } },
      { configs: { patient: { timeout: '1s' } } },
    );
    expect(options).toEqual({});
    expect(problems).toEqual([]);
  });

  it('may be named by the pipeline, unless the subject names another one', () => {
    const options: ResilienceModuleOptions = {
      configs: { ...layers.configs, hasty: { retry: { maxRetries: 0 } } },
      pipelines: { books: { retry: { config: 'patient' } } },
    };
    expect(read({ pipeline: 'books' }, options).options).toEqual({ maxRetries: 2 });
    expect(read({ pipeline: 'books', own: { config: 'hasty' } }, options).options).toEqual({
      maxRetries: 0,
    });
  });

  it('of the name of a part is optional, and one that is asked for has to exist', () => {
    expect(read({ own: { name: 'shelf' }, kind: 'circuitBreaker' }).problems).toEqual([]);
    expect(read({ own: { config: 'shelf' } }).problems).toEqual([
      "S.m @Retry: config is 'shelf', which forRoot({ configs }) does not have; it has none",
    ]);
    expect(read({ own: { config: 'shelf' } }, layers).problems).toEqual([
      "S.m @Retry: config is 'shelf', which forRoot({ configs }) does not have; it has patient",
    ]);
    const two = { configs: { patient: {}, hasty: {} } };
    expect(read({ own: { config: 'shelf' } }, two).problems).toEqual([
      "S.m @Retry: config is 'shelf', which forRoot({ configs }) does not have; it has patient, hasty",
    ]);
  });

  it('has to be named by a text', () => {
    expect(read({ own: { config: 7 } }, layers).problems).toEqual([
      'S.m @Retry: config is 7, which forRoot({ configs }) does not have; it has patient',
    ]);
  });

  it('of a part whose name is not a text is left to the check of the options', () => {
    expect(read({ own: { name: 7 }, kind: 'circuitBreaker' })).toMatchObject({
      options: { name: 7 },
      problems: [],
    });
  });
});

describe('options refer to a part that another subject defines', () => {
  const circuitBreaker = { openFor: '9s' } as const;
  const named = { own: { name: 'shelf' }, kind: 'circuitBreaker' };

  it.each<[string, Given, ResilienceModuleOptions]>([
    ['when they only name it', named, {}],
    [
      'and a configuration',
      { ...named, own: { name: 'shelf', config: 'slow' } },
      { configs: { slow: { circuitBreaker } } },
    ],
    [
      'even if all policies of the kind have an override',
      named,
      { overrides: { '*': { circuitBreaker } } },
    ],
  ])('%s', (_, given, options) => {
    expect(read(given, options).reference).toBe(true);
  });

  it.each<[string, Given, ResilienceModuleOptions]>([
    ['when they define something', { ...named, own: { name: 'shelf', ...circuitBreaker } }, {}],
    ['when they have no name', { ...named, own: { config: 'slow' } }, { configs: { slow: {} } }],
    ['when there are none', { ...named, own: {} }, {}],
    ['in a pipeline', { ...named, pipeline: 'books' }, {}],
    ['when they are overridden for the subject', named, { overrides: { S: { circuitBreaker } } }],
  ])('but not %s', (_, given, options) => {
    expect(read(given, options).reference).toBe(false);
  });
});

describe('nested options', () => {
  const kind = 'circuitBreaker';
  const defaults = { circuitBreaker: { halfOpen: { maxCalls: 2, successThreshold: 4 } } };

  it('are merged one by one', () => {
    const { options } = read({ kind, own: { halfOpen: { maxCalls: 3 } } }, { defaults });
    expect(options).toEqual({ halfOpen: { maxCalls: 3, successThreshold: 4 } });
  });

  it('that are wrong replace right ones, to be reported', () => {
    expect(read({ kind, own: { halfOpen: 7 } }, { defaults }).options).toEqual({ halfOpen: 7 });
    expect(read({ kind, own: { halfOpen: null } }, { defaults }).options).toEqual({
      halfOpen: null,
    });
  });

  it('that are right replace wrong ones', () => {
    const wrong = { circuitBreaker: { halfOpen: 7 } } as never;
    const { options } = read({ kind, own: { halfOpen: { maxCalls: 3 } } }, { defaults: wrong });
    expect(options).toEqual({ halfOpen: { maxCalls: 3 } });
  });

  it('of other kinds are replaced as a whole', () => {
    const window = { duration: '10s', buckets: 10 } as const;
    const { options } = read(
      { kind, own: { window: { calls: 5 } } },
      { defaults: { circuitBreaker: { window } } },
    );
    expect(options).toEqual({ window: { calls: 5 } });
  });

  it('of undefined change nothing', () => {
    const { options } = read({ kind, own: { halfOpen: undefined } }, { defaults });
    expect(options).toEqual(defaults.circuitBreaker);
  });
});

describe('own options', () => {
  it('may be missing, where the pipeline alone has the policy', () => {
    const subject = { pipeline: 'books', policies: new Map(), overrideKeys: [] };
    const problems = new Problems();
    const found = effectiveOptions(
      'retry',
      subject as never,
      'S.m',
      new Configuration(layers).layers,
      problems,
    );
    expect(found.options).toEqual({ maxRetries: 5, maxElapsedTime: '1m' });
    expect(problems.all).toEqual([]);
  });

  it.each([7, null, 'fast'])('of %p are reported, and read as none', (own) => {
    const { options, problems } = read({ own }, { defaults: layers.defaults! });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^S\.m @Retry: the options are .*; use an object$/);
    expect(options).toEqual(layers.defaults!.retry);
  });
});

describe('an override', () => {
  const off = { retry: { enabled: false } };

  it('may switch the policy off, and a later one may switch it on again', () => {
    const on = { retry: { enabled: true } };
    expect(read({}, {}).enabled).toBe(true);
    expect(read({}, { overrides: { S: off } }).enabled).toBe(false);
    expect(read({}, { overrides: { S: off, 'S.m': on } }).enabled).toBe(true);
    expect(read({}, { overrides: { 'S.m': off, S: on } }).enabled).toBe(false);
    expect(read({}, { overrides: { S: off, 'S.m': { retry: { maxRetries: 1 } } } }).enabled).toBe(
      false,
    );
  });

  it('that switches the policy leaves no option of itself', () => {
    expect(read({ own: { maxRetries: 2 } }, { overrides: { S: off } }).options).toEqual({
      maxRetries: 2,
    });
  });

  it('of another switch than true or false is reported, and switches nothing', () => {
    const overrides = { S: { retry: { enabled: 'no' } } } as never;
    expect(read({}, { overrides })).toMatchObject({
      enabled: true,
      problems: [`S.m @Retry: enabled (from overrides['S']) is 'no'; use true or false`],
    });
  });

  it('of other policies or subjects changes nothing', () => {
    const overrides = { S: { timeout: '1s' }, Other: { retry: { maxRetries: 9 } } };
    expect(read({}, { overrides } as ResilienceModuleOptions).options).toEqual({});
  });
});

describe('the policies of a subject', () => {
  const options = { pipelines: { books: { retry: {}, order: ['retry'] } } } as never;
  const none = new Configuration({}).layers;

  it('are those of its pipeline and its own, each once', () => {
    const policies = new Map<string, object>([
      ['timeout', {}],
      ['retry', {}],
      ['pipeline', {}],
    ]);
    expect(kindsOf({ policies, pipeline: 'books' }, options)).toEqual(['retry', 'timeout']);
    expect(kindsOf({ policies, pipeline: 'absent' }, options)).toEqual(['timeout', 'retry']);
    expect(kindsOf({ policies, pipeline: undefined }, none)).toEqual(['timeout', 'retry']);
  });

  it('are shared when the pipeline has them', () => {
    expect(isShared('retry', { pipeline: 'books' }, options)).toBe(true);
    expect(isShared('timeout', { pipeline: 'books' }, options)).toBe(false);
    expect(isShared('retry', { pipeline: undefined }, options)).toBe(false);
    expect(isShared('retry', { pipeline: 'absent' }, options)).toBe(false);
  });
});
