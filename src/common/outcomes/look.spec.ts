import { ResilienceError } from '../errors.js';
import { isBuiltIn, isClass } from './error-matcher.js';
import {
  isInstance,
  isPromiseLike,
  keysOf,
  look,
  lookAtItems,
  lookByCall,
  prototypeOf,
  safely,
} from './look.js';
import { retryAfterOf } from './retry-after.js';
import { statusOf } from './status.js';

const boom = (): never => {
  throw new Error('do not look');
};

/** Throws whatever is done to it. */
const hostile = new Proxy({}, new Proxy({}, { get: () => boom }));

describe('inspecting a value', () => {
  it('finds the members of objects and functions, and none elsewhere', () => {
    const named = Object.assign(() => {}, { code: 1 });
    expect(look({ code: 1 }, 'code')).toBe(1);
    expect(look(named, 'code')).toBe(1);
    for (const other of [null, undefined, 'text', 7, Symbol('s'), hostile]) {
      expect(look(other, 'length')).toBeUndefined();
    }
  });

  it('calls methods; other members and methods that throw give nothing', () => {
    expect(lookByCall({ get: (key: string) => `${key}!` }, 'get', 'a')).toBe('a!');
    for (const other of [{ get: 7 }, {}, { get: boom }, hostile]) {
      expect(lookByCall(other, 'get', 'a')).toBeUndefined();
    }
  });

  it('finds the first items of lists, and none of objects that only look like lists', () => {
    expect(lookAtItems([1, 2, 3], 2)).toEqual([1, 2]);
    for (const other of ['text', { length: 1, 0: 'a' }, null, undefined, hostile, () => {}]) {
      expect(lookAtItems(other, 2)).toEqual([]);
    }
    const { proxy, revoke } = Proxy.revocable([1], {});
    revoke();
    expect(lookAtItems(proxy, 2)).toEqual([]);
  });

  it('gives no for unreadable members', () => {
    expect(isInstance(hostile, Error)).toBe(false);
    expect(isInstance({}, 7)).toBe(false);
    expect(safely(boom)('x')).toBe(false);
    expect(prototypeOf(hostile)).toBeNull();
    expect(keysOf(hostile)).toEqual([]);
  });
});

describe('classes', () => {
  it('are distinguished from functions that mention the word', () => {
    expect(isClass(class Books {})).toBe(true);
    expect(isClass(() => 'class Books {}')).toBe(false);
    expect(isClass(function classify() {})).toBe(false);
  });

  it('are recognized where built-in errors have other prototypes', () => {
    expect(isBuiltIn(Object.create(TypeError.prototype), TypeError)).toBe(true);
    expect(isBuiltIn(new RangeError(), TypeError)).toBe(false);
  });
});

describe('the wait that an error asks for', () => {
  class Rejection extends ResilienceError {
    constructor(retryAfterMs: number) {
      const names = { code: 'X', policy: 'p', policyName: 'n', title: 't', message: 'm' };
      super({ ...names, status: 503, retryAfterMs });
    }
  }
  const asking = (headers: unknown): unknown => ({ response: { headers } });

  it('may be 0', () => {
    expect(retryAfterOf(new Rejection(0), 0)).toBe(0);
    expect(retryAfterOf(new Rejection(-1), 0)).toBeUndefined();
  });

  it('is found in any letter case and between blanks, and nowhere else', () => {
    for (const name of ['retry-after', 'Retry-After', 'RETRY-AFTER']) {
      expect(retryAfterOf(asking({ 'x-other': '5', [name]: ' \t 20 \t ' }), 0)).toBe(20_000);
      expect(
        retryAfterOf(
          asking(
            new Map([
              [7, '5'],
              [name, '20'],
            ] as never),
          ),
          0,
        ),
      ).toBe(20_000);
    }
    expect(retryAfterOf(asking({ 'x-other': '5', undefined: '5' }), 0)).toBeUndefined();
  });

  it('is searched for in the first two hundred headers', () => {
    const others = (count: number): [string, string][] =>
      Array.from({ length: count }, (_, i) => [`x-${i}`, '5']);
    const headers = (count: number): unknown =>
      Object.fromEntries([...others(count), ['Retry-After', '20']]);
    expect(retryAfterOf(asking(headers(199)), 0)).toBe(20_000);
    expect(retryAfterOf(asking(headers(200)), 0)).toBeUndefined();
  });
});

describe('the status of an error', () => {
  it('comes from its method, if it has one', () => {
    expect(statusOf({ getStatus: () => 503, status: 404 })).toBe(503);
    expect(statusOf({ getStatus: () => 7, status: 404 })).toBeUndefined();
    expect(statusOf({ getStatus: boom, status: 404 })).toBe(404);
  });
});

describe('isPromiseLike', () => {
  it.each([
    [Promise.resolve(), true],
    [{ then: () => {} }, true],
    [{ then: 1 }, false],
    [null, false],
    [undefined, false],
    ['then', false],
  ])('%p: %p', (value, expected) => {
    expect(isPromiseLike(value)).toBe(expected);
  });

  it('is false for a primitive, which nobody waits for, whatever its prototype has', () => {
    Object.assign(Number.prototype, { then: () => {} });
    try {
      expect(isPromiseLike(1)).toBe(false);
    } finally {
      delete (Number.prototype as { then?: unknown }).then;
    }
  });

  it('is false for what cannot be inspected', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(isPromiseLike(proxy)).toBe(false);
  });
});
