import { SetMetadata } from '@nestjs/common';
import { Observable, of as just } from 'rxjs';
import { boot, closeAll } from '../../test/support/boot.js';
import { CircuitBreaker, Retry } from '../index.js';
import { wrapMethod } from './method-wrapper.js';

afterEach(closeAll);

describe('the function that replaces a method', () => {
  const symbol = Symbol('symbol');

  class Books {
    @Retry()
    async find(_words: string, _page: number): Promise<void> {}
    @Retry()
    async [symbol](_id: number): Promise<void> {}
    @Retry()
    @SetMetadata('below', 1)
    async below(): Promise<void> {}
  }

  it('has its name and its number of parameters, as something that can be changed', () => {
    expect(Books.prototype.find.name).toBe('find');
    expect(Object.getOwnPropertyDescriptor(Books.prototype.find, 'length')).toEqual({
      value: 2,
      configurable: true,
      enumerable: false,
      writable: false,
    });
    expect(Books.prototype[symbol].name).toBe('[symbol]');
    expect(Books.prototype[symbol]).toHaveLength(1);
  });

  it('has the metadata of decorators that stand below', () => {
    expect(Reflect.getMetadata('below', Books.prototype.below)).toBe(1);
    expect(Reflect.getMetadata('below', Books.prototype.find)).toBeUndefined();
  });

  it('is the same for further decorators', () => {
    const descriptor: PropertyDescriptor = { value: async () => {} };
    const target = {};
    const decorated = wrapMethod(target, 'm', descriptor);
    const { value: wrapper } = descriptor as { value: unknown };
    expect(wrapMethod(target, 'm', descriptor)).toBe(decorated);
    expect(descriptor.value).toBe(wrapper);
    expect(decorated.wrapper).toBe(wrapper);
  });
});

describe('a call without an application', () => {
  it('runs the method as it is, on its `this` and with its arguments', async () => {
    class Books {
      calls = 0;
      @Retry()
      async find(...given: unknown[]): Promise<unknown> {
        this.calls += 1;
        if (given.length === 0) throw new Error('down');
        return [this, ...given];
      }
    }
    const books = new Books();
    await expect(books.find(1, 2)).resolves.toEqual([books, 1, 2]);
    await expect(books.find()).rejects.toThrow('down');
    expect(books.calls).toBe(2);
  });
});

describe('a call whose policies turn out to be wrong', () => {
  class Late {
    @CircuitBreaker({ openFor: -1 })
    async promised(): Promise<void> {}
    @CircuitBreaker({ openFor: -1 })
    stream(): Observable<number> {
      return just(1);
    }
  }

  it('rejects if it gives a promise, and throws otherwise', async () => {
    await boot();
    const late = new Late();
    const promise = late.promised();
    await expect(promise).rejects.toThrow('Late.promised @CircuitBreaker: openFor is -1');
    expect(() => late.stream()).toThrow('Late.stream @CircuitBreaker: openFor is -1');
  });
});
