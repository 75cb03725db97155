import { Retry } from '../index.js';
import { DecoratedMethod, decoratedMethodOf } from './methods/decorated-method.js';
import { USED_PIPELINE, methodSubject } from './subject.js';

describe('the subject of a method', () => {
  class Books {
    @Retry()
    async find(_id: number): Promise<void> {}
    @Retry()
    static async open(): Promise<void> {}
  }
  class Shelf extends Books {}
  const find = decoratedMethodOf(Books.prototype.find)!;

  it('is named after the class that it is called on', () => {
    expect(methodSubject({ decorated: find, owner: Shelf, ownOnly: false })).toEqual({
      name: 'Shelf.find',
      title: 'Shelf.find',
      owner: Shelf,
      overrideKeys: ['Shelf', 'Shelf.find'],
      policies: new Map([['retry', {}]]),
      pipeline: undefined,
      order: undefined,
      anyWork: false,
      method: {
        name: 'find',
        key: 'find',
        owner: Shelf,
        target: Shelf.prototype,
        arity: 1,
        handler: false,
        sendsResponse: false,
      },
    });
    const open = decoratedMethodOf(Books.open)!;
    const { method } = methodSubject({ decorated: open, owner: Shelf, ownOnly: false });
    expect(method!.target).toBe(Shelf);
  });

  it('uses a pipeline, whose name also stands for it in overrides, before its class', () => {
    const decorated = new DecoratedMethod(Books.prototype, 'find', find.original);
    decorated.policies.set('retry', {}).set(USED_PIPELINE, { name: 'books' });
    const subject = methodSubject({ decorated, owner: Books, ownOnly: false });
    expect(subject).toMatchObject({
      pipeline: 'books',
      overrideKeys: ['books', 'Books', 'Books.find'],
    });
    expect([...subject.policies.keys()]).toEqual(['retry']);
  });

  it('is a handler if Nest has marked the function that replaces the method', () => {
    const handlerBy = (mark: (wrapper: object, original: object) => object): boolean => {
      const decorated = new DecoratedMethod(Books.prototype, 'find', async () => {});
      decorated.wrapper = async () => {};
      Reflect.defineMetadata('path', '/', mark(decorated.wrapper, decorated.original));
      return methodSubject({ decorated, owner: Books, ownOnly: false }).method!.handler;
    };
    expect(handlerBy((wrapper) => wrapper)).toBe(true);
    expect(handlerBy((_, original) => original)).toBe(false);
  });
});
