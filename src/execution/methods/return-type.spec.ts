import 'reflect-metadata';
import { Observable, Subject } from 'rxjs';
import {
  isKnownAsynchronous,
  returnsNothing,
  returnsOf,
  synchronousTypeOf,
} from './return-type.js';

/** A method, with the return type that TypeScript has recorded for it. */
function typed(original: Function, type?: unknown): Parameters<typeof returnsOf>[0] {
  const target = {};
  if (type !== undefined) Reflect.defineMetadata('design:returntype', type, target, 'm');
  return { target, key: 'm', original };
}

const plain = (): unknown => undefined;
const promising = async (): Promise<void> => {};

describe('a method returns', () => {
  it.each([
    ['a promise, if it is asynchronous', typed(promising), 'promise'],
    ['an iterable, if it is an async generator', typed(async function* () {}), 'iterable'],
    ['a promise, if it is a synchronous generator', typed(function* () {}), 'promise'],
    ['an Observable, if it is declared to', typed(plain, Observable), 'observable'],
    ['an Observable, if a subclass of it is declared', typed(plain, Subject), 'observable'],
    ['a promise, if another class is declared', typed(plain, Map), 'promise'],
    ['a promise, if nothing is known', typed(plain), 'promise'],
  ])('%s', (_, method, returns) => {
    expect(returnsOf(method)).toBe(returns);
  });
});

describe('without a call, a method is known to be asynchronous', () => {
  it.each([
    ['by its kind', typed(promising)],
    ['as an async generator', typed(async function* () {})],
    ['by an Observable as its type', typed(plain, Observable)],
    ['by a promise as its type', typed(plain, Promise)],
  ])('%s', (_, method) => {
    expect(isKnownAsynchronous(method)).toBe(true);
  });

  it.each([
    ['without a type', typed(plain)],
    ['with another type', typed(plain, Object)],
    ['as a synchronous generator', typed(function* () {})],
  ])('but not %s', (_, method) => {
    expect(isKnownAsynchronous(method)).toBe(false);
  });
});

describe('a method is certainly synchronous', () => {
  class Report {}

  it.each([
    [Number, 'number'],
    [String, 'string'],
    [Boolean, 'boolean'],
    [Symbol, 'symbol'],
    [BigInt, 'bigint'],
    [Array, 'Array'],
    [Report, 'Report'],
  ])('when its type is %p', (type, name) => {
    expect(synchronousTypeOf(typed(plain, type))).toBe(name);
  });

  it.each([
    ['nothing is known of its type', undefined],
    ['its type is void or unknown at runtime', null],
    ['its type may be an interface', Object],
    ['its type may be a callable interface', Function],
    ['its type is a promise', Promise],
    ['its type is an Observable', Observable],
    [
      'its type has an async iterator',
      class {
        async *[Symbol.asyncIterator](): AsyncGenerator<void> {}
      },
    ],
    ['its type is a class without a prototype', () => {}],
    ['its type has null for a prototype', Object.assign(function () {}, { prototype: null })],
    ['its type is not a class', Report.prototype],
  ])('but not when %s', (_, type) => {
    expect(synchronousTypeOf(typed(plain, type))).toBeUndefined();
  });

  it('but not when it is an async function, whatever its type', () => {
    expect(synchronousTypeOf(typed(promising, Number))).toBeUndefined();
  });

  it('but not when only the method that it overrides has such a type', () => {
    const target = {};
    Reflect.defineMetadata('design:returntype', Number, target, 'm');
    const override = { target: Object.create(target) as object, key: 'm', original: plain };
    expect(synchronousTypeOf(override)).toBeUndefined();
  });
});

describe('a method certainly returns nothing', () => {
  it('when its source has no return', () => {
    class S {
      m(list: unknown[]): void {
        list.push('returned');
      }
    }
    expect(returnsNothing(S.prototype.m)).toBe(true);
  });

  it('but not when it has one, or when its source is unknown', () => {
    class S {
      m(): number {
        return 1;
      }
    }
    expect(returnsNothing(S.prototype.m)).toBe(false);
    expect(returnsNothing(S.prototype.m.bind(new S()))).toBe(false);
    expect(returnsNothing(Array.prototype.push)).toBe(false);
  });
});
