import { SetMetadata } from '@nestjs/common';
import { CircuitBreaker, Retry, Timeout } from '../../index.js';
import { decoratedMethodOf } from './decorated-method.js';
import { methodsOf, ownedMethod, policiesOf } from './owned-method.js';

/** Each test makes its own classes, since some replace their methods. */
function classes() {
  class Parent {
    @Retry()
    async m(): Promise<string> {
      return 'parent';
    }
    @Retry()
    static async s(): Promise<void> {}
  }
  class Child extends Parent {}
  return {
    Parent,
    Child,
    m: decoratedMethodOf(Parent.prototype.m)!,
    s: decoratedMethodOf(Parent.s)!,
  };
}

describe('a call of a method belongs to', () => {
  it('the class that it is called on', () => {
    const { Parent, Child, m, s } = classes();
    expect(ownedMethod(m, Parent.prototype)).toEqual({
      decorated: m,
      owner: Parent,
      ownOnly: false,
    });
    expect(ownedMethod(m, Child.prototype).owner).toBe(Child);
    expect(ownedMethod(s, Parent).owner).toBe(Parent);
    expect(ownedMethod(s, Child)).toEqual({ decorated: s, owner: Child, ownOnly: false });
  });

  it('the class that declares it, if it is called on something else, or on nothing', () => {
    const { Parent, m, s } = classes();
    for (const holder of [undefined, {}, class {}.prototype]) {
      expect(ownedMethod(m, holder)).toEqual({ decorated: m, owner: Parent, ownOnly: false });
    }
    expect(ownedMethod(s, class {}).owner).toBe(Parent);
  });

  it('the class that declares it, if its prototype tells no class', () => {
    const { Parent, m } = classes();
    const derived = Object.create(Parent.prototype, { constructor: { value: 7 } }) as object;
    expect(ownedMethod(m, derived).owner).toBe(Parent);
  });

  it('the class that declares it, if an override calls it', () => {
    const { Parent, m } = classes();
    class Override extends Parent {
      override async m(): Promise<string> {
        return super.m();
      }
    }
    class Last extends Override {}
    const expected = { decorated: m, owner: Parent, ownOnly: false };
    expect(ownedMethod(m, Override.prototype)).toEqual(expected);
    expect(ownedMethod(m, Last.prototype)).toEqual(expected);
  });

  it('it alone, without the policies of the class, if an override with policies calls it', () => {
    const { Parent, m } = classes();
    class Override extends Parent {
      @Timeout('1s')
      override async m(): Promise<string> {
        return super.m();
      }
    }
    class Bare extends Override {
      override async m(): Promise<string> {
        return super.m();
      }
    }
    const expected = { decorated: m, owner: Parent, ownOnly: true };
    expect(ownedMethod(m, Override.prototype)).toEqual(expected);
    expect(ownedMethod(m, Bare.prototype)).toEqual(expected);
  });

  it.each<[string, object]>([
    ['Jest', { _isMockFunction: true }],
    ['Sinon', { isSinonProxy: true }],
    ['node:test', { mock: {} }],
  ])('the class that it is called on, if a spy of %s stands in between', (_, mark) => {
    const { Child, m } = classes();
    Object.assign(Child.prototype, { m: Object.assign(() => {}, mark) });
    expect(ownedMethod(m, Child.prototype)).toMatchObject({ owner: Child, ownOnly: false });
  });

  it.each<[string, unknown]>([
    ['a function', () => {}],
    ['an object', { mock: {} }],
    ['nothing', undefined],
  ])('the class that declares it, if %s stands in between', (_, value) => {
    const { Parent, Child, m } = classes();
    Object.assign(Child.prototype, { m: value });
    expect(ownedMethod(m, Child.prototype).owner).toBe(Parent);
  });
});

describe('the policies of a call are', () => {
  @CircuitBreaker()
  @Retry({ maxRetries: 1 })
  class Parent {
    @Timeout('1s')
    async m(): Promise<void> {}
    @Retry({ maxRetries: 3 })
    static async s(): Promise<void> {}
    @Timeout('1s')
    async onModuleInit(): Promise<void> {}
  }
  @Retry({ maxRetries: 2 })
  class Child extends Parent {}
  const m = decoratedMethodOf(Parent.prototype.m)!;

  const kinds = (...given: Parameters<typeof policiesOf>): unknown =>
    Object.fromEntries(policiesOf(...given));

  it('its own and those of its class, the nearest class first', () => {
    expect(kinds({ decorated: m, owner: Child, ownOnly: false })).toEqual({
      timeout: { attempt: '1s' },
      circuitBreaker: {},
      retry: { maxRetries: 2 },
    });
  });

  it('only its own, if those of the class are left out', () => {
    expect(Object.keys(kinds({ decorated: m, owner: Child, ownOnly: true }) as object)).toEqual([
      'timeout',
    ]);
  });

  it('only its own, if it is static or a hook', () => {
    const s = decoratedMethodOf(Parent.s)!;
    const hook = decoratedMethodOf(Parent.prototype.onModuleInit)!;
    expect(kinds({ decorated: s, owner: Child, ownOnly: false })).toEqual({
      retry: { maxRetries: 3 },
    });
    expect(Object.keys(kinds({ decorated: hook, owner: Child, ownOnly: false }) as object)).toEqual(
      ['timeout'],
    );
  });
});

describe('the methods of a class are', () => {
  it('those of its instances and its static ones, inherited ones included', () => {
    const { Parent, Child, m, s } = classes();
    for (const owner of [Parent, Child]) {
      expect(methodsOf(owner)).toEqual([
        { decorated: m, owner, ownOnly: false },
        { decorated: s, owner, ownOnly: false },
      ]);
    }
  });

  it('also those that its overrides can call', () => {
    const { Parent, m, s } = classes();
    class Override extends Parent {
      @Timeout('1s')
      override async m(): Promise<string> {
        return super.m();
      }
    }
    const own = decoratedMethodOf(Override.prototype.m)!;
    expect(methodsOf(Override)).toEqual([
      { decorated: own, owner: Override, ownOnly: false },
      { decorated: m, owner: Parent, ownOnly: true },
      { decorated: s, owner: Override, ownOnly: false },
    ]);
  });

  it('found although something else has replaced them', () => {
    const { Parent, m, s } = classes();
    const { prototype } = Parent as { prototype: Partial<typeof Parent.prototype> };
    delete prototype.m;
    expect(methodsOf(Parent).map(({ decorated }) => decorated)).toEqual([m, s]);
  });

  it('none to which no policy applies', () => {
    @SetMetadata('websockets:is_gateway', true)
    @CircuitBreaker()
    class Gateway {
      async handleConnection(): Promise<void> {}
    }
    expect(decoratedMethodOf(Gateway.prototype.handleConnection)).toBeDefined();
    expect(methodsOf(Gateway)).toEqual([]);
  });

  it('none of a function that is not a class', () => {
    expect(methodsOf(() => {})).toEqual([]);
  });
});
