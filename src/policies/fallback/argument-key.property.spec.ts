import { isDeepStrictEqual, types } from 'node:util';
import * as fc from 'fast-check';
import { keyOfArguments } from './argument-key.js';

/** `undefined` when there is none. */
function keyOf(value: unknown): string | undefined {
  try {
    return keyOfArguments([0, value, 0]);
  } catch (error) {
    if (error instanceof TypeError && error.message.includes('have no key')) return undefined;
    throw error;
  }
}

class Query {
  #user: string;

  constructor(
    readonly text: string,
    user: string,
  ) {
    this.#user = user;
  }

  get user(): string {
    return this.#user;
  }
}

const eq = Symbol('eq');

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
  maxDepth: 3,
  maxKeys: 4,
});

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.tuple(fc.string(), fc.string()).map(([text, user]) => new Query(text, user)),
  fc.integer().map((id) => ({ tenant: { [eq]: id } })),
  fc.string().map((message) => new Error(message)),
  fc.webUrl().map((url) => new URL(url)),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.constantFrom<unknown>(-0, 0, NaN, null, undefined, 'NaN', 'null', '0', '-0', 'undefined', 0n),
  // New ones each time: they may be changed.
  fc
    .constantFrom<(() => unknown)[]>(
      () => new Date(NaN),
      () => new Date(0),
      () => '1970-01-01T00:00:00.000Z',
      () => /a/,
      () => Symbol('a'),
      () => () => 1,
      () => Promise.resolve(1),
      () => new WeakMap(),
    )
    .map((make) => make()),
);

/** A value in which odd ones may stand anywhere. */
const values: fc.Arbitrary<unknown> = fc.oneof(
  anything,
  odd,
  fc.array(fc.oneof(odd, anything), { maxLength: 3 }),
  fc.dictionary(fc.string(), fc.oneof(odd, anything), { maxKeys: 3 }),
);

function isA<T>(value: object, type: { readonly prototype: T }): value is T & object {
  return Object.getPrototypeOf(value) === type.prototype;
}

/** A copy of plain data; other values are kept by identity. */
function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const array = new Array(value.length);
    for (const index of Object.keys(value))
      array[index as never] = copy(value[index as never]) as never;
    return array;
  }
  if (isA(value, Map)) return new Map([...value].map(([k, v]) => [copy(k), copy(v)]));
  if (isA(value, Set)) return new Set([...value].map(copy));
  if (isA(value, Date)) return new Date(value);
  if (isA(value, URL)) return new URL(value);
  if (isA<Buffer>(value, Buffer)) return Buffer.from(value);
  if (types.isTypedArray(value)) return (value as Uint8Array).slice();
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return value;
  const object = Object.create(prototype) as object;
  for (const key of Reflect.ownKeys(value).reverse()) {
    const property = Object.getOwnPropertyDescriptor(value, key)!;
    Object.defineProperty(object, key, { ...property, value: copy(property.value) });
  }
  return object;
}

type Change = (value: unknown) => unknown;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Each makes of a value one that looks alike. */
const changes: readonly Change[] = [
  (value) => (value === 0 ? -value : value),
  (value) => (value === undefined ? null : value),
  (value) => (typeof value === 'number' ? String(value) : value),
  (value) => (typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value),
  (value) => (typeof value === 'string' ? Object(value) : value) as unknown,
  (value) => (value instanceof Date ? value.valueOf() : value),
  (value) => (isObject(value) ? json(value) : value),
  (value) => (value instanceof Map ? Object.fromEntries([...value].map(([k, v]) => [String(k), v])) : value), // prettier-ignore
  (value) => (value instanceof Map ? [...value] : value),
  (value) => (value instanceof Set ? [...value] : value),
  (value) => (Buffer.isBuffer(value) ? new Uint8Array(value) : value),
  (value) => (value instanceof Float32Array ? new Int32Array(value.buffer) : value),
  (value) => (Array.isArray(value) ? { ...value } : value),
  (value) => (Array.isArray(value) ? Array.from(value) : value), // holes become undefined
  (value) => (Array.isArray(value) ? [...value, undefined] : value),
  (value) => (isObject(value) ? Object.assign(value, { [eq]: 1 }) : value),
  (value) => (isObject(value) ? Object.assign(value, { extra: undefined }) : value),
  (value) => (isObject(value) ? Object.setPrototypeOf(value, null) : value) as unknown,
  (value) => (isObject(value) ? Object.setPrototypeOf(value, Object.prototype) : value) as unknown,
  (value) => (isObject(value) ? Object.setPrototypeOf(value, Query.prototype) : value) as unknown,
  (value) => (isObject(value) ? Object.setPrototypeOf(value, Date.prototype) : value) as unknown,
  (value) => [value],
  (value) => ({ value }),
];

function json(value: object): unknown {
  try {
    return JSON.parse(JSON.stringify(value)) as unknown;
  } catch {
    return value; // a bigint in it
  }
}

const unchanged: Change = (value) => value;

/** A copy in which one part, at any place, has been changed. */
function changed(value: unknown, change: Change, path: readonly number[]): unknown {
  const result = copy(value);
  const [step, ...rest] = path;
  if (step === undefined || !isObject(result)) return attempt(change, result);
  const keys = Object.keys(result);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined || ArrayBuffer.isView(result)) return attempt(change, result);
  try {
    (result as Record<string, unknown>)[key] = changed(result[key as never], change, rest);
  } catch {
    // read only
  }
  return result;
}

function attempt(change: Change, value: unknown): unknown {
  try {
    return change(value);
  } catch {
    return value; // a map that is no longer a map, and the like
  }
}

const pairs = fc
  .tuple(values, fc.constantFrom(unchanged, ...changes), fc.array(fc.nat(5), { maxLength: 3 }))
  .map(([value, change, path]): [unknown, unknown] => [value, changed(value, change, path)]);

function expectFaithful([one, other]: [unknown, unknown]): void {
  const key = keyOf(one);
  if (key === undefined || key !== keyOf(other)) return;
  if (!isDeepStrictEqual(one, other)) throw new Error(`both have the key ${key}`);
}

describe('two values with the same key', () => {
  it('are deeply equal: any two', () => {
    fc.assert(fc.property(fc.tuple(values, values), expectFaithful), { numRuns: 20_000 });
  }, 60_000);

  it('are deeply equal: one, and another that looks alike', () => {
    fc.assert(fc.property(pairs, expectFaithful), { numRuns: 30_000 });
  }, 60_000);

  it('may be copies of plain data, with properties in any order', () => {
    let keyed = 0;
    fc.assert(
      fc.property(values, (value) => {
        const key = keyOf(value);
        if (key !== undefined) keyed += 1;
        expect(keyOf(copy(value))).toBe(key);
      }),
      { numRuns: 5_000 },
    );
    expect(keyed).toBeGreaterThan(1_000);
  }, 60_000);
});
