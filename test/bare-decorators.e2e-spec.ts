import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  RateLimit,
  Retry,
  Signal,
  Timeout,
  UsePipeline,
  composePolicies,
} from '../src/index.js';
import { DelayWhenRejected } from '../src/bullmq/index.js';
import { closeAll } from './support/boot.js';
import { classWith } from './support/bootstrap.js';
import { problemsOf } from './support/commands.js';

afterEach(closeAll);

/** Possible in untyped code; the compiler refuses it. */
const given = (decorator: unknown): never => decorator as never;

const policies = {
  Retry,
  CircuitBreaker,
  RateLimit,
  Timeout,
  Bulkhead,
  UsePipeline,
};

describe.each(Object.entries(policies))('@%s without parentheses', (name, decorator) => {
  it('is a problem on a method', async () => {
    const problems = await problemsOf({ providers: [classWith('Books', given(decorator))] });
    expect(problems).toEqual([`Books.m @${name}: is used without parentheses; write @${name}()`]);
  });

  it('is a problem on a class, which stays a class', async () => {
    const Books = classWith('Books');
    expect((decorator as unknown as ClassDecorator)(Books)).toBe(Books);
    expect(
      await problemsOf({ providers: [Books, classWith('Other', Retry({ maxRetries: -1 }))] }),
    ).toEqual([
      `Books @${name}: is used without parentheses; write @${name}()`,
      expect.stringContaining('Other.m @Retry: maxRetries is -1'),
    ]);
  });
});

it.each<[string, unknown]>([
  ['Fallback', Fallback],
  ['DelayWhenRejected', DelayWhenRejected],
  ['Retry', composePolicies(given(Retry))],
])('@%s is a problem on a method too', async (name, decorator) => {
  const problems = await problemsOf({ providers: [classWith('Books', given(decorator))] });
  expect(problems).toEqual([`Books.m @${name}: is used without parentheses; write @${name}()`]);
});

it.each([Retry, Timeout, Signal])(
  'is refused as a standard decorator without parentheses: %p',
  (decorator) => {
    const context = { kind: 'method', name: 'm', addInitializer: () => undefined };
    const use = decorator as unknown as (value: Function, context: object) => unknown;
    expect(() => use(() => 1, context)).toThrow(/is used as a standard decorator/);
  },
);

describe('@Signal without parentheses', () => {
  it.each(['m', undefined])('is a problem of %s', async (key) => {
    const Books = classWith('Books', Retry());
    (Signal as unknown as ParameterDecorator)(
      key === undefined ? Books : (Books.prototype as object),
      key,
      0,
    );
    const place = key === undefined ? 'Books' : 'Books.m';
    expect(await problemsOf({ providers: [Books] })).toEqual([
      `${place} @Signal: is used without parentheses; write @Signal()`,
    ]);
  });
});

describe('a decorator with odd arguments', () => {
  const sliced = 'which has no effect; give all options as one object';

  it.each<[string, unknown]>([
    [
      `CircuitBreaker: has one argument too many, { failureRate: 0.1 }, ${sliced}`,
      (CircuitBreaker as Function)('storagesvc', { failureRate: 0.1 }),
    ],
    [
      `Bulkhead: has one argument too many, { maxQueue: 5 }, ${sliced}`,
      (Bulkhead as Function)(10, { maxQueue: 5 }),
    ],
    ['UsePipeline: the name is undefined; use the name of a pipeline', (UsePipeline as Function)()],
    ['UsePipeline: the name is 7; use the name of a pipeline', (UsePipeline as Function)(7)],
    ['Fallback: the options are null; use an object', (Fallback as Function)('other', null)],
  ])('is a problem: %s', async (told, decorator) => {
    const problems = await problemsOf({ providers: [classWith('Books', given(decorator))] });
    expect(problems).toEqual([`Books.m @${told}`]);
  });

  it('throws where it decorates nothing', () => {
    expect(() => (Retry() as Function)({})).toThrow(
      '@Retry decorates {}; use it on a class or a method',
    );
  });

  it('is a problem on a class that it is not for', async () => {
    const Books = classWith('Books');
    (Fallback('other') as Function)(Books);
    expect(await problemsOf({ providers: [Books] })).toEqual([
      'Books @Fallback: decorates a class; only methods can be protected',
    ]);
  });
});
