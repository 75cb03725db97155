import { runInNewContext, runInThisContext } from 'node:vm';
import { keyOfArguments } from './argument-key.js';

const same = (one: unknown, other: unknown): boolean =>
  keyOfArguments([one]) === keyOfArguments([other]);

describe('the key of arguments', () => {
  it('is readable', () => {
    expect(keyOfArguments(['sea', { page: 1, size: null }, [true, undefined, 3n]])).toBe(
      '"sea",{"page":1,"size":null},[true,undefined,3n]',
    );
  });

  it('does not depend on the order of properties, entries of maps and items of sets', () => {
    expect(same({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true);
    expect(
      same(
        new Map<unknown, unknown>([
          ['a', 1],
          [{ b: 1 }, 2],
        ]),
        new Map<unknown, unknown>([
          [{ b: 1 }, 2],
          ['a', 1],
        ]),
      ),
    ).toBe(true);
    expect(same(new Set([1, [2]]), new Set([[2], 1]))).toBe(true);
  });

  it('ignores signals and omitted trailing arguments', () => {
    const { signal } = new AbortController();
    const { signal: other } = new AbortController();
    const key = keyOfArguments([1]);
    for (const args of [
      [1, undefined],
      [1, signal],
      [1, undefined, other],
      [1, signal, undefined],
    ]) {
      expect(keyOfArguments(args)).toBe(key);
    }
    expect(keyOfArguments([signal, 1])).toBe(keyOfArguments([undefined, 1]));
    expect(keyOfArguments([signal, 1])).not.toBe(key);
    expect(same({ page: 1, signal }, { page: 1 })).toBe(true);
    expect(same({ page: 1, signal }, { page: 2, signal })).toBe(false);
  });

  it('is the same for copies of all kinds of plain data', () => {
    const make = (): unknown[] => [
      'text',
      -0,
      NaN,
      -Infinity,
      10n,
      new Date(5),
      new URL('https://example.org/a?b=c#d'),
      Buffer.from('bytes'),
      new Uint8Array([1, 2]),
      new Float64Array([0.5, -0]),
      new BigInt64Array([-1n]),
      Object.assign(Object.create(null) as object, { a: [null] }),
      new Map([[[1], new Set(['x'])]]),
      [[[]], {}],
    ];
    expect(keyOfArguments(make())).toBe(keyOfArguments(make()));
    expect(new Set(make().map((value) => keyOfArguments([value]))).size).toBe(make().length);
  });

  it.each<[string, unknown, unknown]>([
    ['a date and its text', new Date(0), new Date(0).toISOString()],
    ['a buffer and its JSON', Buffer.from('a'), JSON.parse(JSON.stringify(Buffer.from('a')))],
    ['a buffer and its bytes', Buffer.from('a'), new Uint8Array([97])],
    ['bytes of another kind', new Uint8Array([1]), new Int8Array([1])],
    ['-0 and 0', -0, 0],
    ['undefined inside and null', [undefined, 1], [null, 1]],
    ['a hole and undefined', [, 1], [undefined, 1]], // eslint-disable-line no-sparse-arrays -- the hole is the case
    ['an array and an object', [1], { 0: 1 }],
    ['a map and an object', new Map([['a', 1]]), { a: 1 }],
    ['a map and its entries', new Map([['a', 1]]), [['a', 1]]],
    ['a set and its items', new Set([1]), [1]],
    ['an object without a prototype', Object.create(null), {}],
    ['a number and its text', 1, '1'],
    ['a bigint and a number', 1n, 1],
    ['a bigint and its text', 1n, '1n'],
    ['undefined and its text', [undefined, 1], ['undefined', 1]],
    ['a property that is undefined, and none', { a: undefined }, {}],
    ['a URL and its text', new URL('http://a'), 'http://a/'],
    ['lone surrogates', '\ud800', '\udc00'],
    ['text that looks like two texts', ['a","b'], ['a', 'b']],
    ['a property __proto__ of its own', JSON.parse('{"__proto__":1}'), {}],
    ['two arguments and one', 'a,b', ['a', 'b']],
  ])('differs for %s', (_what, one, other) => {
    expect(same(one, other)).toBe(false);
  });

  class Query {
    constructor(readonly text: string) {}
  }
  const cycle: unknown[] = [];
  cycle.push([cycle]);
  const prototypeOf = (value: object, prototype: object | null): object =>
    Object.setPrototypeOf(value, prototype) as object;

  it.each<[string, unknown, string]>([
    ['an instance of a class', new Query('a'), 'an instance of Query'],
    ['one without a name', new (class {})(), 'an unnamed class'],
    ['a subclass of Date', new (class Day extends Date {})(), 'an instance of Day'],
    ['a subclass of Map', new (class Index extends Map {})(), 'an instance of Index'],
    ['a subclass of Array', new (class List extends Array {})(), 'an instance of List'],
    ['a subclass of Buffer', prototypeOf(Buffer.from('a'), class Bytes extends Uint8Array {}.prototype), 'an instance of Bytes'], // prettier-ignore
    ['an invalid date', new Date(NaN), 'an invalid date'],
    ['a property named by a symbol', { [Symbol('eq')]: 1 }, 'whose name is a symbol'],
    ['a hidden property', Object.defineProperty({}, 'a', { value: 1 }), 'not enumerable'],
    ['an array with properties', Object.assign([1], { total: 2 }), 'an array with properties'],
    ['a map with properties', Object.assign(new Map(), { a: 1 }), 'Map with properties'],
    ['a set with properties', Object.assign(new Set(), { a: 1 }), 'Set with properties'],
    ['a date with properties', Object.assign(new Date(0), { a: 1 }), 'Date with properties'],
    ['a URL with properties', Object.assign(new URL('a:b'), { a: 1 }), 'URL with properties'],
    ['bytes with properties', Object.assign(new Uint8Array(1), { a: 1 }), 'Uint8Array with properties'], // prettier-ignore
    ['an error', new Error('a'), 'an instance of Error'],
    ['a regular expression', /a/, 'an instance of RegExp'],
    ['a promise', Promise.resolve(), 'an instance of Promise'],
    ['a boxed string', Object('a'), 'an instance of String'],
    ['search parameters', new URLSearchParams('a=b'), 'an instance of URLSearchParams'],
    ['a function', () => 1, 'a function'],
    ['a symbol', Symbol('a'), 'a symbol'],
    ['a proxy', new Proxy({}, {}), 'a proxy'],
    ['a cycle', cycle, 'a cycle'],
    ['a WeakMap', new WeakMap(), 'an instance of WeakMap'],
    ['an array buffer', new ArrayBuffer(1), 'an instance of ArrayBuffer'],
    ['an object of another realm', runInNewContext('({ a: 1 })'), 'an instance of Object'],
    ['an array of another realm', runInNewContext('[1]'), 'an instance of Array'],
    ['a map in disguise', prototypeOf(new Map([['a', 1]]), Object.prototype), 'an instance of Object'], // prettier-ignore
    ['a date in disguise', prototypeOf(new Date(0), null), 'an instance of an unnamed class'],
    ['an error in disguise', prototypeOf(new Error('a'), Object.prototype), 'an instance of Object'], // prettier-ignore
    ['an object in disguise', prototypeOf({}, Date.prototype), 'an instance of Date'],
    ['arguments', runInThisContext('(function () { return arguments; })()'), 'an instance of Object'], // prettier-ignore
    ['an imitated signal', prototypeOf({ a: 1 }, AbortSignal.prototype), 'an instance of AbortSignal'], // prettier-ignore
    ['an array that is all holes', new Array(4e9), 'more parts'],
    ['a large array', new Array(20_000).fill(0), 'more parts'],
    ['many bytes', new Uint8Array(20_000), 'more parts'],
    ['a deep object', JSON.parse('['.repeat(200) + ']'.repeat(200)), 'more parts'],
  ])('cannot be made of %s', (_what, value, part) => {
    for (const args of [[value], [1, [value]], [{ a: value }], [new Map([[1, value]])]]) {
      expect(() => keyOfArguments(args)).toThrow(part);
    }
  });

  it('runs no getter, toJSON or iterator', () => {
    const ran = jest.fn();
    const run = (): never => {
      ran();
      throw new Error('hands off');
    };
    const accessors = Object.defineProperty([], 0, { get: run, enumerable: true });
    for (const value of [
      {
        get a() {
          return run();
        },
      },
      accessors,
      { toJSON: run },
    ]) {
      // prettier-ignore
      expect(() => keyOfArguments([value])).toThrow('have no key');
    }
    const iterated = Object.assign(new Map([[1, 1]]), { [Symbol.iterator]: run, forEach: run });
    expect(() => keyOfArguments([iterated])).toThrow('have no key');
    expect(ran).not.toHaveBeenCalled();
  });

  it('accepts a value that occurs at several places', () => {
    const shared = { a: 1 };
    expect(same([shared, shared], [{ a: 1 }, { a: 1 }])).toBe(true);
    let tree: unknown = {};
    for (let level = 0; level < 50; level++) tree = [tree, tree];
    expect(() => keyOfArguments([tree])).toThrow('more parts'); // in a moment
  });
});
