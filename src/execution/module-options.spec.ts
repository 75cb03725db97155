import { ManualClock } from '../testing/index.js';
import { Problems } from '../common/options-reader.js';
import { systemClock } from '../common/clock.js';
import {
  checkModuleOptions,
  checkPipeline,
  checkPolicies,
  requireModuleOptions,
} from './module-options.js';

const POLICIES = 'fallback, timeout, retry, circuitBreaker, rateLimit, bulkhead';

function problemsOf(options: unknown): readonly string[] {
  const problems = new Problems();
  checkModuleOptions(options as object, problems);
  return problems.all.map((line) => line.replace('ResilienceModule.forRoot(): ', ''));
}

function problemsBy(check: (problems: Problems) => void): readonly string[] {
  const problems = new Problems();
  check(problems);
  return problems.all;
}

describe('the options of the module', () => {
  it.each([undefined, null, 7, 'defaults'])('have to be an object, not %p', (options) => {
    expect(() => requireModuleOptions(options)).toThrow(
      /ResilienceModule\.forRoot\(\): the options are .*; use an object/,
    );
  });

  it('are given back, as they are now, with the clock itself', () => {
    const clock = new ManualClock();
    const options = { clock, defaults: { retry: { maxRetries: 1 } } };
    const read = requireModuleOptions(options);
    options.defaults.retry.maxRetries = 2;
    expect(read).toEqual({ clock, defaults: { retry: { maxRetries: 1 } } });
    expect(read.clock).toBe(clock);
  });

  it('are right when all of them are', () => {
    const everything = {
      defaults: { retry: { maxRetries: 1 }, timeout: '1s' },
      configs: { patient: { retry: { maxRetries: 9 }, circuitBreaker: undefined } },
      pipelines: { books: { timeout: '2s', retry: { config: 'patient' }, order: ['retry'] } },
      overrides: { '*': { retry: { enabled: false }, timeout: { total: '5s' } } },
      clock: systemClock,
      random: () => 0,
      logger: { log: () => {}, warn: () => {}, error: () => {} },
    };
    expect(problemsOf(everything)).toEqual([]);
    expect(problemsOf({ logger: false })).toEqual([]);
    expect(problemsOf({})).toEqual([]);
  });

  it.each([
    ['defaults', 7, 'defaults is 7; use an object with options by policy'],
    ['defaults', null, 'defaults is null; use an object with options by policy'],
    ['configs', 7, 'configs is 7; use an object'],
    ['pipelines', [], 'pipelines is []; use an object'],
    ['overrides', null, 'overrides is null; use an object'],
    ['configs', { patient: 7 }, "configs['patient'] is 7; use an object with options by policy"],
    ['pipelines', { books: 7 }, "pipelines['books'] is 7; use an object with options by policy"],
    ['overrides', { '*': 7 }, "overrides['*'] is 7; use an object with options by policy"],
    [
      'defaults',
      { retry: false },
      'defaults.retry is false; use { enabled: false } to switch the policy off',
    ],
    ['defaults', { retry: null }, 'defaults.retry is null; use an object with options'],
    [
      'configs',
      { patient: { retry: false } },
      "configs['patient'].retry is false; use { enabled: false } to switch the policy off",
    ],
    [
      'pipelines',
      { books: { retry: false } },
      "pipelines['books'].retry is false; use { enabled: false } to switch the policy off",
    ],
    [
      'overrides',
      { '*': { retry: true } },
      "overrides['*'].retry is true; use an object with options",
    ],
    [
      'defaults',
      { retry: { config: 'patient' } },
      'defaults.retry.config has no effect; only decorators, commands and pipelines can name a configuration',
    ],
    ['random', 7, 'random is 7; use a function'],
    ['logging', true, 'logging is true; use an object with options, or false'],
    ['logging', { fields: 1 }, 'logging.fields is 1; use true or false'],
    [
      'logging',
      { maxEventsPerSecond: 0 },
      'logging.maxEventsPerSecond is 0; use a whole number of at least 1',
    ],
    [
      'logging',
      { maxRejectionsPerSecond: -1 },
      'logging.maxRejectionsPerSecond is -1; use a whole number of at least 0',
    ],
    ['retries', 7, expect.stringContaining('retries is not an option')],
  ])('are wrong with %s of %j', (option, given, told) => {
    expect(problemsOf({ [option]: given })).toEqual([told]);
  });

  it.each(['now', 'wall', 'setTimer'])('are wrong with a clock without %s()', (missing) => {
    const { now, wall, setTimer } = systemClock;
    const clock = { now, wall, setTimer, [missing]: 7 };
    expect(problemsOf({ clock })).toEqual([
      expect.stringMatching(/^clock is .*; use an object with now\(\), wall\(\) and setTimer\(\)$/),
    ]);
  });

  it.each([[null], [{ log: () => {} }], [{ warn: () => {} }], [true]])(
    'are wrong with a logger that is %p',
    (logger) => {
      expect(problemsOf({ logger })).toEqual([
        expect.stringMatching(/^logger is .*; use a LoggerService or false$/),
      ]);
    },
  );

  it('are wrong with a clock that is null', () => {
    expect(problemsOf({ clock: null })).toEqual([
      'clock is null; use an object with now(), wall() and setTimer()',
    ]);
  });
});

describe('the order of a pipeline', () => {
  const check = (order: unknown): readonly string[] =>
    problemsBy((problems) => checkPipeline('here', "pipelines['books'].", { order }, problems));

  it.each([[undefined], [[]], [['retry', 'circuit breaker']]])('may be %j', (order) => {
    expect(check(order)).toEqual([]);
  });

  it.each([
    ['retry', "'retry'"],
    [['retry', 'hedge'], "[ 'retry', 'hedge' ]"],
    [['retry', 'retry'], "[ 'retry', 'retry' ]"],
    [null, 'null'],
  ])('cannot be %j', (order, shown) => {
    expect(check(order)).toEqual([
      expect.stringContaining(
        `here: pipelines['books'].order is ${shown}; use a list of 'fallback', `,
      ),
    ]);
    expect(check(order)[0]).toMatch(/, each at most once$/);
  });
});

describe('policies', () => {
  const check = (path: string, set: unknown): readonly string[] =>
    problemsBy((problems) => checkPolicies('here', path, set, problems));

  it('have to be known', () => {
    expect(check('', { hedge: {} })).toEqual([
      expect.stringMatching(/^here: has "hedge", which is not a policy; the policies are /),
    ]);
    expect(check('defaults.', { hedge: {} })).toEqual([
      expect.stringMatching(
        /^here: defaults has "hedge", which is not a policy; the policies are /,
      ),
    ]);
    const [told] = check('', { hedge: {} });
    for (const policy of POLICIES.split(', ')) expect(told).toContain(policy);
  });

  it('have to be an object', () => {
    expect(check('', 7)).toEqual([
      'here: the policies are 7; use an object with options by policy',
    ]);
    expect(check('defaults.', 7)).toEqual([
      'here: defaults is 7; use an object with options by policy',
    ]);
  });

  it('may name a configuration only where that has an effect', () => {
    const set = { retry: { config: 'patient' } };
    expect(check('', set)).toEqual([
      'here: retry.config has no effect; only decorators, commands and pipelines can name a configuration',
    ]);
    expect(
      problemsBy((problems) => checkPolicies('here', '', set, problems, { configurable: true })),
    ).toEqual([]);
  });
});
