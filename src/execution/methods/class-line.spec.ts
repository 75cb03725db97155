import { classLine, classOf, inherits, lineOf, prototypeOf } from './class-line.js';

class Parent {}
class Child extends Parent {}

/** A proxy that throws at each look at it. */
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe('the line of an object', () => {
  it('begins with the object and ends before the given end', () => {
    expect(lineOf(Child.prototype, Object.prototype)).toEqual([Child.prototype, Parent.prototype]);
    expect(lineOf(Child.prototype, Parent.prototype)).toEqual([Child.prototype]);
  });

  it('is empty when the object is the end itself', () => {
    expect(lineOf(Parent.prototype, Parent.prototype)).toEqual([]);
  });

  it('ends with the last prototype when the given end is elsewhere', () => {
    const bare = Object.create(null) as object;
    expect(lineOf(Object.create(bare) as object, Parent.prototype)).toHaveLength(2);
  });

  it('of a class has the classes that it extends', () => {
    expect(classLine(Child)).toEqual([Child, Parent]);
  });
});

describe('the prototype', () => {
  it('of an object is known', () => {
    expect(prototypeOf(new Child())).toBe(Child.prototype);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['a class', Child],
    ['an object without one', Object.create(null)],
    ['a revoked proxy', revoked()],
  ])('of %s is unknown', (_, value) => {
    expect(prototypeOf(value)).toBeUndefined();
  });
});

describe('an object inherits', () => {
  it('from itself and from the objects of its line, but not from others', () => {
    expect(inherits(Parent.prototype, Parent.prototype)).toBe(true);
    expect(inherits(Child.prototype, Parent.prototype)).toBe(true);
    expect(inherits(Parent.prototype, Child.prototype)).toBe(false);
  });

  it('from nothing when it refuses to answer', () => {
    expect(inherits(revoked(), Parent.prototype)).toBe(false);
  });
});

describe('the class of instances', () => {
  it('is that of their prototype', () => {
    expect(classOf(Child.prototype, Child.prototype)).toBe(Child);
    expect(classOf(Child.prototype, Parent.prototype)).toBe(Child);
  });

  it('is the nearest one when the prototype has been derived without a class', () => {
    expect(classOf(Object.create(Child.prototype) as object, Parent.prototype)).toBe(Child);
  });

  it('is unknown when they do not inherit the methods of the target', () => {
    expect(classOf(Parent.prototype, Child.prototype)).toBeUndefined();
  });

  it('is unknown when the constructor is that of other objects', () => {
    const derived = Object.create(Parent.prototype, { constructor: { value: Child } }) as object;
    expect(classOf(derived, Parent.prototype)).toBeUndefined();
  });

  it.each([
    ['has no constructor', { constructor: undefined }],
    ['has something else for a constructor', { constructor: { prototype: Parent.prototype } }],
    [
      'throws when asked for its constructor',
      {
        get constructor(): Function {
          throw new Error('not now');
        },
      },
    ],
  ])('is unknown when their prototype %s', (_, members) => {
    const prototype = Object.create(
      Parent.prototype,
      Object.getOwnPropertyDescriptors(members),
    ) as object;
    expect(classOf(prototype, Parent.prototype)).toBeUndefined();
  });
});
