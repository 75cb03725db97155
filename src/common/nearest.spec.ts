import { areAlike, nearest } from './nearest.js';

describe('the nearest name', () => {
  it.each([
    ['getObjekt', ['putObject', 'getObject', 'headObject'], 'getObject'],
    ['GETOBJECT', ['get', 'getObject'], 'getObject'],
    ['qurey', ['connect', 'query', 'end'], 'query'],
    ['', ['abc', 'a'], 'a'],
  ])('of %p among %p is %p', (name, names, expected) => {
    expect(nearest(name, names)).toBe(expected);
  });

  it('is undefined without names', () => {
    expect(nearest('a', [])).toBeUndefined();
  });

  it('is the first of several equally near ones', () => {
    expect(nearest('cat', ['bat', 'hat'])).toBe('bat');
  });
});

it.each([
  ['RETRI', 'RETRY', true],
  ['retry', 'RETRY', true],
  ['FOO', 'RETRY', false],
  ['GET_BOOKS', 'TIMEOUT', false],
])('%p and %p are alike: %p', (one, other, alike) => {
  expect(areAlike(one, other)).toBe(alike);
  expect(areAlike(other, one)).toBe(alike);
});
