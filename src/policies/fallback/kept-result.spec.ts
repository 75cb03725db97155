import { runInNewContext } from 'node:vm';
import { lossesOf } from './kept-result.js';

class Book {
  constructor(readonly title: string) {}
}

describe('a result as JSON', () => {
  it.each<[string, unknown]>([
    ['plain data', { a: [1, 'x', null, true, { b: undefined }] }],
    ['nothing', undefined],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['data of another realm', runInNewContext('({ a: [1, { b: 2 }] })')],
    ['an object with its own toJSON', { toJSON: () => 1, hidden: new Book('a') }],
  ])('loses nothing of %s', (_what, result) => {
    expect(lossesOf(result)).toEqual({ lost: undefined, changed: undefined });
  });

  it.each<[string, unknown, string]>([
    ['a class', new Book('a'), 'an instance of Book'],
    ['a class without a name', new (class {})(), 'an instance of an unnamed class'],
    ['a class in a list', [{ a: 1 }, [new Book('a')]], 'an instance of Book'],
    ['a class behind other members', { a: 1, b: { c: new Book('a') } }, 'an instance of Book'],
    ['a map', { a: new Map() }, 'an instance of Map'],
    ['an object made of an object', Object.create({ a: 1 }), 'an instance of Object'],
    [
      'a class with a method that only Object has',
      Object.create({ isPrototypeOf: () => false, constructor: Book }),
      'an instance of Book',
    ],
    [
      'a class that extends nothing',
      Object.create(Object.assign(Object.create(null) as object, { a: 1 })),
      'an instance of an unnamed class',
    ],
    ['a property toJSON that is not a method', { toJSON: 1, b: new Map() }, 'an instance of Map'],
  ])('loses %s', (_what, result, lost) => {
    expect(lossesOf(result)).toEqual({ lost, changed: undefined });
  });

  it.each<[string, unknown, string]>([
    ['a date', { a: [new Date(0)] }, 'a Date'],
    ['NaN', { a: NaN }, 'NaN'],
    ['an infinite number', [-Infinity, NaN], '-Infinity'],
    ['the first of several', [NaN, new Date(0)], 'NaN'],
    ['the first of several, the other way round', [new Date(0), NaN], 'a Date'],
  ])('changes %s', (_what, result, changed) => {
    expect(lossesOf(result)).toEqual({ lost: undefined, changed });
  });

  it('does not change finite numbers, or text that looks like NaN', () => {
    expect(lossesOf([0, -1.5, 'NaN', 'Infinity', 10]).changed).toBeUndefined();
  });
});
