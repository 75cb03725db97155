import { runInNewContext } from 'node:vm';
import { distance, toPredicate } from './error-matcher.js';

const fromOtherRealm = (code: string): unknown => runInNewContext(code);

describe('an error matcher', () => {
  class StorageError extends Error {}
  class SlowStorageError extends StorageError {}
  class NoError {}

  it('matches a class and its subclasses', () => {
    const matches = toPredicate(StorageError);
    expect([new StorageError(), new SlowStorageError(), new Error()].map(matches)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('compares classes by identity, not by name', () => {
    const namesake = Object.assign(new Error('x'), { name: 'StorageError' });
    expect(toPredicate(StorageError)(namesake)).toBe(false);
  });

  it('may be a class that is not an Error', () => {
    expect(toPredicate(NoError)(new NoError())).toBe(true);
    expect(toPredicate(NoError)(new Error())).toBe(false);
  });

  it('may be an old-style error class', () => {
    function OldError(this: Error): void {}
    OldError.prototype = Object.create(Error.prototype) as Error;
    const error = Object.create(OldError.prototype) as unknown;
    expect(toPredicate(OldError as never)(error)).toBe(true);
    expect(toPredicate(OldError as never)(new Error())).toBe(false);
  });

  it('recognizes built-in errors of other realms', () => {
    const error = fromOtherRealm(`new RangeError('x')`);
    expect(toPredicate(RangeError)(error)).toBe(true);
    expect(toPredicate(Error)(error)).toBe(true);
    expect(toPredicate(TypeError)(error)).toBe(false);
  });

  it('may be a predicate', () => {
    const matches = toPredicate((error) => error === 'x');
    expect(matches('x')).toBe(true);
    expect(matches('y')).toBe(false);
  });

  it.each<[string, unknown, number | undefined]>([
    ['0 to its own class', new SlowStorageError(), 0],
    ['one step per parent', new (class extends SlowStorageError {})(), 1],
    ['none to another class', new StorageError(), undefined],
    ['none to a value that is not an object', 'x', undefined],
  ])('has a distance: %s', (_what, error, steps) => {
    expect(distance(SlowStorageError, error)).toBe(steps);
  });

  it('has no distance above a hundred ancestors', () => {
    class Ancestor {
      static [Symbol.hasInstance](): boolean {
        return true;
      }
    }
    const below = (levels: number): object =>
      levels === 0 ? Object.create(Ancestor.prototype) : Object.create(below(levels - 1));
    expect([0, 99, 100, 101].map((levels) => distance(Ancestor, below(levels)))).toEqual([
      0, 99, 100, 100,
    ]);
  });

  it('has distance 0 as a predicate', () => {
    expect(distance(() => true, new Error())).toBe(0);
    expect(distance(() => false, new Error())).toBeUndefined();
  });

  it('does not match when it throws', () => {
    const broken = (): boolean => {
      throw new Error('broken predicate');
    };
    expect(distance(broken, new Error())).toBeUndefined();
  });
});
