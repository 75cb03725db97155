import 'reflect-metadata';
import { Get } from '@nestjs/common';
import { Observable } from 'rxjs';
import { CircuitBreaker, Retry } from '../index.js';
import { coverClass, coverLine, coverSubclasses } from './coverage.js';
import { decoratedMethodAt } from './methods/decorated-method.js';
import { recordClassPolicy } from './methods/records.js';

const typed: MethodDecorator = () => {};

/** The methods of a prototype that have been covered there. */
const coveredOn = (prototype: object): unknown[] =>
  Reflect.ownKeys(prototype).filter((key) => decoratedMethodAt(prototype, key) !== undefined);

describe('the policies of a class cover', () => {
  it('asynchronous methods and handlers, whatever their key, and nothing else', () => {
    const key = Symbol('key');
    class Books {
      async promised(): Promise<void> {}
      async *items(): AsyncGenerator<number> {}
      @typed
      declared(): Promise<void> {
        return Promise.resolve();
      }
      @typed
      stream(): Observable<number> {
        return new Observable();
      }
      @Get()
      handler(): string {
        return 'sync';
      }
      async [key](): Promise<void> {}
      unknown(): unknown {
        return Promise.resolve();
      }
      sync(): number {
        return 1;
      }
      get accessor(): Promise<void> {
        return Promise.resolve();
      }
      async onModuleInit(): Promise<void> {}
    }
    Object.assign(Books.prototype, { field: 7 });
    coverClass(Books);
    expect(coveredOn(Books.prototype)).toEqual([
      'promised',
      'items',
      'declared',
      'stream',
      'handler',
      key,
    ]);
    expect(Books.prototype.constructor).toBe(Books);
  });

  it('inherited methods, on the class itself: parents and siblings stay as they are', () => {
    class Parent {
      async inherited(): Promise<void> {}
      async overridden(): Promise<void> {}
      overriddenBySync(): Promise<void> {
        return Promise.resolve();
      }
    }
    class Child extends Parent {
      override async overridden(): Promise<void> {}
    }
    const { overridden } = Child.prototype;
    coverClass(Child);
    expect(coveredOn(Child.prototype)).toEqual(['overridden', 'inherited']);
    expect(decoratedMethodAt(Child.prototype, 'overridden')!.original).toBe(overridden);
    expect(coveredOn(Parent.prototype)).toEqual([]);
  });

  it('no method that has policies already', () => {
    class Books {
      @Retry()
      async m(): Promise<void> {}
    }
    const { m } = Books.prototype;
    coverClass(Books);
    expect(Books.prototype.m).toBe(m);
  });

  it('methods as they are: neither enumerable nor writable, if they were not', () => {
    class Books {
      async m(): Promise<void> {}
    }
    Object.defineProperty(Books.prototype, 'm', { writable: false });
    coverClass(Books);
    expect(Object.getOwnPropertyDescriptor(Books.prototype, 'm')).toMatchObject({
      enumerable: false,
      writable: false,
      configurable: true,
    });
    expect(coveredOn(Books.prototype)).toEqual(['m']);
  });

  it('no method that cannot be replaced', () => {
    class Books {
      async m(): Promise<void> {}
    }
    const { m } = Books.prototype;
    Object.freeze(Books.prototype);
    expect(() => coverClass(Books)).not.toThrow();
    expect(Books.prototype.m).toBe(m);
  });
});

describe('the policies of a class cover its subclasses', () => {
  function classes() {
    class Above {
      async above(): Promise<void> {}
    }
    class Parent extends Above {
      async parents(): Promise<void> {}
    }
    recordClassPolicy(Parent, 'retry', {});
    class Middle extends Parent {
      async middles(): Promise<void> {}
    }
    class Last extends Middle {
      async lasts(): Promise<void> {}
    }
    return { Above, Parent, Middle, Last };
  }

  it.each<[string, (Last: new () => object) => void]>([
    ['by an instance', (Last) => coverSubclasses(new Last())],
    ['by their prototype', (Last) => coverLine(Last.prototype as object)],
  ])('down from it, %s', (_, cover) => {
    const { Above, Parent, Middle, Last } = classes();
    cover(Last);
    expect(coveredOn(Last.prototype)).toEqual(['lasts']);
    expect(coveredOn(Middle.prototype)).toEqual(['middles']);
    expect(coveredOn(Parent.prototype)).toEqual(['parents']);
    expect(coveredOn(Above.prototype)).toEqual([]);
  });

  it('once: what a prototype gets later is left alone', () => {
    const { Last } = classes();
    coverSubclasses(new Last());
    const later = async (): Promise<void> => {};
    Object.assign(Last.prototype, { later });
    coverSubclasses(new Last());
    expect(coveredOn(Last.prototype)).toEqual(['lasts']);
  });

  it('not classes without policies, nor what has no class', () => {
    class Bare {
      async m(): Promise<void> {}
    }
    coverSubclasses(new Bare());
    expect(coveredOn(Bare.prototype)).toEqual([]);
    expect(() => coverSubclasses(Object.create(null) as object)).not.toThrow();
  });

  it('not objects between two classes that only inherit a constructor', () => {
    const { Parent } = classes();
    const own = Object.create(Parent.prototype, {
      own: { value: async () => {}, configurable: true },
    }) as object;
    coverLine(own);
    expect(coveredOn(own)).toEqual(['own']);
    const above = Object.create(class {}.prototype) as object;
    coverLine(above);
    expect(coveredOn(above)).toEqual([]);
  });

  it('by the policies of the decorator too', () => {
    @CircuitBreaker()
    class Parent {}
    class Child extends Parent {
      async m(): Promise<void> {}
    }
    coverSubclasses(new Child());
    expect(coveredOn(Child.prototype)).toEqual(['m']);
  });
});
