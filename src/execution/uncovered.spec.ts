import 'reflect-metadata';
import { CircuitBreaker, Retry } from '../index.js';
import { uncoveredMembers } from './uncovered.js';

const NOT_ASYNC = 'not recognizably asynchronous: if it returns a promise, make it `async`';
const ACCESSOR = 'an accessor: make it a method if it returns a promise';
const FIELD = 'a function in a field: make it a method';
const STATIC = 'static: decorate it itself';

/** The names in the warning about a class. */
function told(owner: Function, instance?: object): string | undefined {
  const start = `${owner.name}: the policies on the class do not cover `;
  const warning = uncoveredMembers(owner, instance);
  if (warning === undefined) return undefined;
  expect(warning.startsWith(start)).toBe(true);
  return warning.slice(start.length);
}

describe('of a class with policies, the warning names', () => {
  it('methods that may return a promise, its own and those that it inherits, each once', () => {
    class Grandparent {
      find(): unknown {
        return 1;
      }
    }
    @Retry()
    class Parent extends Grandparent {
      override find(): unknown {
        return 2;
      }
      [Symbol.for('list')](): unknown {
        return [];
      }
    }
    class Child extends Parent {
      count(): unknown {
        return 3;
      }
    }
    expect(told(Child)).toBe(`count, find, Symbol(list) (${NOT_ASYNC})`);
    expect(told(Parent)).toBe(`find, Symbol(list) (${NOT_ASYNC})`);
    expect(told(Grandparent)).toBeUndefined();
  });

  it('accessors that may return a promise', () => {
    @Retry()
    class S {
      get latest(): unknown {
        return 1;
      }
      set only(_value: unknown) {}
    }
    expect(told(S)).toBe(`latest (${ACCESSOR})`);
  });

  it('asynchronous functions in fields of the instance, if there is one', () => {
    @Retry()
    class S {
      readonly send = async (): Promise<void> => {};
      readonly sync = (): number => 1;
      readonly name = 'S';
    }
    expect(told(S, new S())).toBe(`send (${FIELD})`);
    expect(told(S)).toBeUndefined();
  });

  it('nothing that a proxy only says that it has', () => {
    @Retry()
    class S {}
    expect(told(S, new Proxy(new S(), { ownKeys: () => ['ghost'] }))).toBeUndefined();
  });

  it('asynchronous static methods, its own and those that it inherits from classes with policies, each once', () => {
    class Without {
      static async before(): Promise<void> {}
    }
    @Retry()
    class Parent extends Without {
      static async make(): Promise<void> {}
      static async open(): Promise<void> {}
      static size(): number {
        return 1;
      }
      @CircuitBreaker()
      static async decorated(): Promise<void> {}
    }
    class Child extends Parent {
      static override async make(): Promise<void> {}
    }
    expect(told(Child)).toBe(`make, open (${STATIC})`);
    expect(told(Parent)).toBe(`make, open (${STATIC})`);
  });

  it('all of them by groups', () => {
    @Retry()
    class S {
      static async make(): Promise<void> {}
      readonly send = async (): Promise<void> => {};
      find(): unknown {
        return 1;
      }
      get latest(): unknown {
        return 1;
      }
    }
    expect(told(S, new S())).toBe(
      `find (${NOT_ASYNC}); send (${FIELD}); latest (${ACCESSOR}); make (${STATIC})`,
    );
  });
});

describe('of a class with policies, the warning leaves out', () => {
  it('members that are covered, that never are, and that return nothing or surely no promise', () => {
    const typed: MethodDecorator = () => {};
    @Retry()
    class S {
      async covered(): Promise<void> {}
      @CircuitBreaker()
      async decorated(): Promise<void> {}
      notify(list: unknown[]): void {
        list.pop();
      }
      @typed
      count(): number {
        return 1;
      }
      onModuleInit(): unknown {
        return 1;
      }
      field: unknown;
    }
    Object.assign(S.prototype, { field: 1 });
    expect(told(S, new S())).toBeUndefined();
  });

  it('a method that a covered override replaces', () => {
    class Parent {
      find(): unknown {
        return 1;
      }
    }
    @Retry()
    class Child extends Parent {
      override async find(): Promise<number> {
        return 2;
      }
    }
    expect(told(Child)).toBeUndefined();
  });
});
