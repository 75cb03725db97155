import 'reflect-metadata';
import { Retry, Signal } from '../../index.js';
import { decoratedMethodAt, decoratedMethodOf, methodKeysOf } from './decorated-method.js';

const marked: MethodDecorator = () => {};

class Books {
  @Retry()
  async find(_id: number, _more = 1): Promise<void> {}
  @Retry()
  async given(@Signal() _signal?: AbortSignal): Promise<void> {}
  @Retry()
  static async open(): Promise<void> {}
  @marked
  bare(): void {}
}

const find = decoratedMethodOf(Books.prototype.find)!;
const open = decoratedMethodOf(Books.open)!;

describe('the record of a decorated method', () => {
  it('knows where it is, and which class declares it', () => {
    expect(find).toMatchObject({ target: Books.prototype, key: 'find', static: false });
    expect(find.declaringClass).toBe(Books);
    expect(open).toMatchObject({ target: Books, key: 'open', static: true });
    expect(open.declaringClass).toBe(Books);
  });

  it('has an index of its own', () => {
    expect(open.index).not.toBe(find.index);
  });

  it('counts parameters with default values too, as far as TypeScript tells of them', () => {
    expect(find.original).toHaveLength(1);
    expect(find.arity).toBe(2);
    const untyped = decoratedMethodOf(Books.prototype.find)!;
    Reflect.deleteMetadata('design:paramtypes', Books.prototype, 'find');
    expect(untyped.arity).toBe(1);
  });

  it('knows which parameter takes the signal', () => {
    expect(decoratedMethodOf(Books.prototype.given)!.signalIndex).toBe(0);
    expect(find.signalIndex).toBeUndefined();
  });

  it('has the function that replaces the method', () => {
    expect(find.wrapper).toBe(Books.prototype.find);
    expect(find.original).not.toBe(Books.prototype.find);
  });
});

describe('the decorated method', () => {
  it.each([
    ['a method without policies', Books.prototype.bare],
    ['no function', { find }],
    ['undefined', undefined],
    ['null', null],
  ])('is none behind %s', (_, value) => {
    expect(decoratedMethodOf(value)).toBeUndefined();
  });

  it('is known behind the wrapper of another decorator that has copied the metadata', () => {
    const other = (): void => {};
    for (const key of Reflect.getOwnMetadataKeys(Books.prototype.find) as string[]) {
      Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, Books.prototype.find), other);
    }
    expect(decoratedMethodOf(other)).toBe(find);
    expect(decoratedMethodAt({ other }, 'other')).toBe(find);
  });

  it('of a class is known though something else has replaced it, but not in subclasses', () => {
    class Shelf {
      @Retry()
      async m(): Promise<void> {}
    }
    const own = decoratedMethodOf(Shelf.prototype.m);
    Shelf.prototype.m = async () => {};
    expect(decoratedMethodAt(Shelf.prototype, 'm')).toBe(own);
    expect(decoratedMethodAt(class extends Shelf {}.prototype, 'm')).toBeUndefined();
    expect(decoratedMethodAt(Shelf.prototype, 'absent')).toBeUndefined();
  });
});

describe('the keys of methods', () => {
  it('are those that there are, and those that were decorated, each once', () => {
    class Shelf {
      @Retry()
      async one(): Promise<void> {}
      @Retry()
      async two(): Promise<void> {}
      bare(): void {}
    }
    delete (Shelf.prototype as Partial<Shelf>).two;
    expect(methodKeysOf(Shelf.prototype)).toEqual(
      expect.arrayContaining(['constructor', 'one', 'bare', 'two']),
    );
    const keys = methodKeysOf(Shelf.prototype);
    expect(new Set(keys).size).toBe(keys.length);
    expect(methodKeysOf({})).toEqual([]);
  });
});
