import 'reflect-metadata';
import type { ProtectedMethod } from '../policy.js';
import { unkeyedParameters } from './parameter-types.js';

class Query {}

/** A method with these parameter types, as TypeScript records them. */
function methodWith(types: unknown): ProtectedMethod {
  class Books {
    list(): void {}
  }
  Reflect.defineMetadata('design:paramtypes', types, Books.prototype, 'list');
  return { target: Books.prototype, key: 'list' } as unknown as ProtectedMethod;
}

const platform = globalThis as unknown as Record<string, unknown>;

describe('parameters that no key can be made of', () => {
  it('are those of a class', () => {
    expect(unkeyedParameters(methodWith([String, Query, Number, Promise]))).toEqual([
      { index: 1, type: 'Query' },
      { index: 3, type: 'Promise' },
    ]);
  });

  it.each([
    'Object',
    'Array',
    'String',
    'Number',
    'Boolean',
    'BigInt',
    'Date',
    'Map',
    'Set',
    'URL',
    'AbortSignal',
    'Buffer',
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'Float32Array',
    'Float64Array',
    'BigInt64Array',
    'BigUint64Array',
  ])('are not those of type %s', (name) => {
    expect(platform[name]).toBeDefined();
    expect(unkeyedParameters(methodWith([platform[name]]))).toEqual([]);
  });

  it('do not exist without recorded types', () => {
    expect(unkeyedParameters(methodWith(undefined))).toEqual([]);
    expect(unkeyedParameters(methodWith([undefined, null]))).toEqual([]);
  });
});
