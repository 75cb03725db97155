import { readOptions } from '../../test/support/read-options.js';
import { type Key, methodOf, readKey } from './key.js';

class Base {
  inherited(): string {
    return 'inherited';
  }
}

class Books extends Base {
  static find(): void {}
  readonly shelf = 'a shelf';

  get lazily(): () => void {
    throw new Error('hands off');
  }

  keyOf(id: number): string {
    return `${this.shelf}:${id}`;
  }

  // A method of the class, though every object has one.
  override toString(): string {
    return 'Books';
  }
}

describe('a method by its name', () => {
  it.each(['keyOf', 'inherited', 'toString'])(
    'is found on the class or its parents: %s',
    (name) => {
      expect(methodOf(Books.prototype, name)).toBe(Books.prototype[name as 'keyOf']);
    },
  );

  it('may be static', () => {
    expect(methodOf(Books, 'find')).toBe(Books.find);
  });

  it.each([
    'constructor',
    '__proto__',
    'hasOwnProperty',
    'isPrototypeOf',
    'valueOf',
    '__defineGetter__',
    'lazily',
    'shelf',
    'nothing',
  ])('is not a member of every object, an accessor, or another value: %s', (name) => {
    expect(methodOf(Books.prototype, name)).toBeUndefined();
  });

  it.each(['constructor', '__proto__', 'prototype', 'call', 'apply', 'bind', 'toString', 'name'])(
    'is not a member of every function: %s',
    (name) => {
      expect(methodOf(Books, name)).toBeUndefined();
    },
  );
});

describe('a key', () => {
  const method = {
    name: 'find',
    key: 'find',
    owner: Books,
    target: Books.prototype,
    arity: 1,
    handler: false,
    sendsResponse: false,
  };

  function read(key: unknown, site: object = { name: 'Books.find', method }) {
    const options = { key: key as Key };
    const [keyOf, problems] = readOptions((reader) => readKey(reader, site as never), options);
    return { keyOf, problems };
  }

  it('is the result of the function, or of the method of that name, for the instance and the arguments', () => {
    const call = { self: new Books(), args: [1] };
    const own = function (this: Books, id: number): string {
      return `${this.shelf}/${id}`;
    };
    expect(read(own).keyOf?.(call)).toBe('a shelf/1');
    expect(read('keyOf').keyOf?.(call)).toBe('a shelf:1');
  });

  it.each([
    ['text', 'text'],
    ['', ''],
    [0, '0'],
    [2n, '2'],
    [false, 'false'],
  ])('may be %p', (value, key) => {
    expect(read(() => value).keyOf?.({ self: undefined, args: [] })).toBe(key);
  });

  it.each([[undefined], [null], [{}], [Symbol('s')], [Promise.resolve('a')], [() => 'a']])(
    'must not be %p',
    (value) => {
      const { keyOf } = read(() => value);
      expect(() => keyOf?.({ self: undefined, args: [] })).toThrow(
        /^Books.find: the key is .*; use a string, number, bigint or boolean$/,
      );
    },
  );

  it.each<[unknown, string]>([
    ['', 'the name of a method'],
    [7, 'a function, or the name of a method'],
    ['constructor', `the name of a method of Books`],
    ['shelf', `the name of a method of Books`],
  ])('is not read from %p', (key, right) => {
    expect(read(key)).toEqual({ keyOf: undefined, problems: [expect.stringContaining(right)] });
  });

  it('may be a name only for methods', () => {
    expect(read('keyOf', { name: 'books', method: undefined }).problems).toEqual([
      expect.stringContaining('a method name works only on decorated methods'),
    ]);
  });
});
