import { keyOfArguments } from './argument-key.js';
import { cacheKey } from './cache-key.js';

const isPossible = (...args: unknown[]): boolean => {
  try {
    keyOfArguments(args);
    return true;
  } catch {
    return false;
  }
};

describe('a key can be made of', () => {
  it('up to 10000 parts', () => {
    // An array is a part itself, and so is an object.
    expect(isPossible(new Array(9_999).fill(0))).toBe(true);
    expect(isPossible(new Array(10_000).fill(0))).toBe(false);
    const object = (size: number): object =>
      Object.fromEntries(Array.from({ length: size }, (_, i) => [`p${i}`, i]));
    expect(isPossible(object(9_999))).toBe(true);
    expect(isPossible(object(10_000))).toBe(false);
    expect(isPossible(new Uint8Array(9_999))).toBe(true);
    expect(isPossible(new Uint8Array(10_000))).toBe(false);
  });

  it('objects a hundred deep', () => {
    const deep = (levels: number): unknown =>
      JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown;
    expect(isPossible(deep(100))).toBe(true);
    expect(isPossible(deep(101))).toBe(false);
  });

  it('no value with hidden parts, even after a plain object', () => {
    const hidden = Object.defineProperty({ a: 1 }, 'b', { get: () => 1, enumerable: true });
    expect(() => keyOfArguments([hidden])).toThrow('arguments with a getter have no key');
    class List extends Array {}
    Object.defineProperty(List, 'name', { value: '' });
    expect(() => keyOfArguments([new List()])).toThrow('an array of a class');
    expect(() => keyOfArguments([Object.create({ constructor: undefined })])).toThrow(
      'an instance of an unnamed class',
    );
    class Named {}
    Object.defineProperty(Named, 'name', { value: 'N'.repeat(200) });
    expect(() => keyOfArguments([new Named()])).toThrow(
      `arguments with an instance of ${'N'.repeat(100)} have no key`,
    );
    const nameless = class {};
    Reflect.deleteProperty(nameless, 'name');
    expect(() => keyOfArguments([new nameless()])).toThrow('an instance of an unnamed class');
  });

  it('views of memory and URLs only if they are genuine', () => {
    const view = new Uint8Array([1, 2]);
    for (const prototype of [Object.prototype, null, URL.prototype]) {
      expect(isPossible(Object.setPrototypeOf(view, prototype))).toBe(false);
    }
    expect(isPossible(Object.setPrototypeOf({}, URL.prototype))).toBe(false);
    expect(() => keyOfArguments([Object.setPrototypeOf({}, Uint8Array.prototype)])).toThrow(
      'arguments with an instance of Uint8Array have no key',
    );
    expect(isPossible(new DataView(new ArrayBuffer(1)))).toBe(false);
  });
});

describe('signals', () => {
  const { signal } = new AbortController();

  it('are left out as arguments and as `signal` of an argument, and are not data elsewhere', () => {
    expect(keyOfArguments([{ signal, page: 1 }])).toBe(keyOfArguments([{ page: 1 }]));
    for (const args of [[{ other: signal }], [{ a: { signal } }], [[signal]], [[{ signal }]]]) {
      expect(isPossible(...args)).toBe(false);
    }
  });

  it('are distinguished from data of the same name', () => {
    expect(keyOfArguments([{ signal: 'red' }])).not.toBe(keyOfArguments([{ signal: 'green' }]));
    expect(keyOfArguments([{ signal: undefined }])).not.toBe(keyOfArguments([{}]));
  });
});

describe('bytes', () => {
  it.each([
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
  ])('have a key that includes their type: %p', (Kind) => {
    const key = keyOfArguments([new Kind([1, 2])]);
    expect(key.startsWith(`${Kind.name}<`)).toBe(true);
    expect(keyOfArguments([new Kind([1, 2])])).toBe(key);
    expect(keyOfArguments([new Kind([2, 1])])).not.toBe(key);
  });

  it.each([BigInt64Array, BigUint64Array])('have a key that includes their type: %p', (Kind) => {
    expect(keyOfArguments([new Kind([1n])])).toBe(`${Kind.name}<AQAAAAAAAAA=>`);
  });
});

describe('each kind of empty value has a key of its own', () => {
  it.each<[unknown, string]>([
    [[], '[]'],
    [{}, '{}'],
    [new Map(), 'map{}'],
    [new Set(), 'set{}'],
    [new Map([[1, 2]]), 'map{1=>2}'],
    [new Set([1]), 'set{1}'],
    [0, '0'],
    [-0, '-0'],
  ])('%p', (value, key) => {
    expect(keyOfArguments([value])).toBe(key);
  });
});

describe('a part of a key in the cache', () => {
  const own = (text: string): string => cacheKey('command', 'c', { own: text }).slice(26);

  it('is itself up to 120 characters, and its hash beyond', () => {
    expect(own('x'.repeat(120))).toBe('x'.repeat(120));
    expect(own('x'.repeat(121))).toMatch(/^#[\w-]{43}$/);
  });

  it('has this length after escaping', () => {
    expect(own('é'.repeat(24))).toBe('%00e9'.repeat(24));
    expect(own('é'.repeat(25))).toMatch(/^#[\w-]{43}$/);
  });

  it('has only a leading bracket escaped', () => {
    expect(own('[1]')).toBe('%005b1]');
    expect(own('a[1]')).toBe('a[1]');
    expect(own(' #%')).toBe('%0020%0023%0025');
  });
});
