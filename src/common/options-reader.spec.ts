import { isPlainObject } from './objects.js';
import { OptionsReader, Problems } from './options-reader.js';

type Loose = Record<string, unknown>;

function readerOf(options: Loose): { read: OptionsReader<Loose>; problems: Problems } {
  const problems = new Problems();
  return { read: new OptionsReader(options, 'Books.list @Retry', problems), problems };
}

/** The value read from one option, and the problems reported. */
function readOne<T>(
  value: unknown,
  use: (read: OptionsReader<Loose>) => T,
): [T, readonly string[]] {
  const { read, problems } = readerOf({ x: value });
  return [use(read), problems.all];
}

const functionOf = (read: OptionsReader<Loose>): unknown =>
  (read as never as OptionsReader<{ x?: () => void }>).function('x');

describe('OptionsReader', () => {
  it('reads absent options as undefined, without a problem', () => {
    const { read, problems } = readerOf({ b: undefined });
    expect([
      read.duration('a'),
      read.integer('a'),
      read.number('b'),
      read.boolean('a'),
      read.text('a'),
      read.functions('b'),
      read.nested<Loose>('a').integer('inside'),
      read.raw('a'),
    ]).toEqual(Array(8).fill(undefined));
    expect(problems.all).toEqual([]);
  });

  it.each<[string, unknown, (read: OptionsReader<Loose>) => unknown, unknown]>([
    ['a duration', '2s', (read) => read.duration('x'), 2_000],
    ['a duration of 0', 0, (read) => read.duration('x'), 0],
    ['an infinite duration', Infinity, (read) => read.duration('x', { infinite: true }), Infinity],
    ['a whole number', 3, (read) => read.integer('x', { min: 3, max: 3 }), 3],
    ['a number', 0.5, (read) => read.number('x', { above: 0, max: 1 }), 0.5],
    ['a boolean', false, (read) => read.boolean('x'), false],
    ['a text', 'a', (read) => read.text('x'), 'a'],
    ['a function', readerOf, functionOf, readerOf],
  ])('reads %s', (_what, value, use, expected) => {
    expect(readOne(value, use)).toEqual([expected, []]);
  });

  it.each<[string, unknown, (read: OptionsReader<Loose>) => unknown, string]>([
    [
      'an unreadable duration',
      'soon',
      (read) => read.duration('x'),
      `x is 'soon'; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' of at least 0`,
    ],
    [
      'a duration that must not be infinite',
      Infinity,
      (read) => read.duration('x', { above: 0 }),
      `x is Infinity; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' above 0`,
    ],
    [
      'a duration that is not above its bound',
      0,
      (read) => read.duration('x', { above: 0, infinite: true }),
      `x is 0; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' above 0, or Infinity`,
    ],
    ['a fraction', 1.5, (read) => read.integer('x'), 'x is 1.5; use a whole number of at least 0'],
    ['a negative', -1, (read) => read.integer('x'), 'x is -1; use a whole number of at least 0'],
    [
      'one too small',
      0,
      (read) => read.integer('x', { min: 1, max: 9 }),
      'x is 0; use a whole number of at least 1 and at most 9',
    ],
    [
      'one too large',
      10,
      (read) => read.integer('x', { min: 1, max: 9 }),
      'x is 10; use a whole number of at least 1 and at most 9',
    ],
    [
      'a number as text',
      '3',
      (read) => read.integer('x'),
      `x is '3'; use a whole number of at least 0`,
    ],
    ['NaN', NaN, (read) => read.number('x'), 'x is NaN; use a number of at least 0'],
    ['Infinity', Infinity, (read) => read.number('x'), 'x is Infinity; use a number of at least 0'],
    [
      'a rate above 1',
      1.01,
      (read) => read.number('x', { above: 0, max: 1 }),
      'x is 1.01; use a number above 0 and at most 1',
    ],
    [
      'a rate of 0',
      0,
      (read) => read.number('x', { above: 0, max: 1 }),
      'x is 0; use a number above 0 and at most 1',
    ],
    ['a number for a boolean', 1, (read) => read.boolean('x'), 'x is 1; use true or false'],
    ['an empty text', '', (read) => read.text('x'), `x is ''; use a non-empty string`],
    ['null for a function', null, functionOf, 'x is null; use a function'],
    [
      'one function for a list',
      Error,
      (read) => read.functions('x'),
      'x is function Error; use a list of error classes or functions',
    ],
    [
      'a list with something else',
      [String, 'x'],
      (read) => read.functions('x'),
      `x is [ [Function: String], 'x' ]; use a list of error classes or functions`,
    ],
    [
      'a list for an object',
      [],
      (read) => read.nested<Loose>('x').integer('y'),
      'x is []; use an object',
    ],
  ])('reports %s, with the value and the right form', (_what, value, use, problem) => {
    const [result, problems] = readOne(value, use);
    expect(result).toBeUndefined();
    expect(problems).toEqual([`Books.list @Retry: ${problem}`]);
  });

  it('names nested options by their path', () => {
    const { read, problems } = readerOf({ halfOpen: { maxCalls: 0, maxCals: 1 } });
    const half = read.nested<Loose>('halfOpen');
    half.integer('maxCalls', { min: 1 });
    half.done();
    read.done();
    expect(problems.all).toEqual([
      'Books.list @Retry: halfOpen.maxCalls is 0; use a whole number of at least 1',
      'Books.list @Retry: halfOpen.maxCals is not an option; the options are halfOpen.maxCalls',
    ]);
  });

  it('reports every option that was not read', () => {
    const { read, problems } = readerOf({ maxRetries: 3, maxRetrys: 3, retries: 3 });
    read.integer('maxRetries');
    read.duration('maxElapsedTime');
    read.done();
    expect(problems.all).toEqual([
      'Books.list @Retry: maxRetrys is not an option; the options are maxRetries, maxElapsedTime',
      'Books.list @Retry: retries is not an option; the options are maxRetries, maxElapsedTime',
    ]);
  });

  it('reports contradictions', () => {
    const { read, problems } = readerOf({});
    read.contradiction('a and b exclude each other');
    expect(problems.all).toEqual(['Books.list @Retry: a and b exclude each other']);
  });

  it('reports the same problem once', () => {
    const problems = new Problems();
    problems.add('A.a', 'bad');
    problems.add('A.a', 'bad');
    problems.add('A.b', 'bad');
    expect(problems.all).toEqual(['A.a: bad', 'A.b: bad']);
  });
});

describe('isPlainObject', () => {
  it.each([
    [{}, true],
    [Object.create(null), true],
    [[], false],
    [null, false],
    [new Date(), false],
    [() => {}, false],
    ['x', false],
  ])('%p: %p', (value: unknown, expected) => {
    expect(isPlainObject(value)).toBe(expected);
  });
});
