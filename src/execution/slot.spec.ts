import { SLOT, bindingOf } from './binding.js';
import { RuntimeRef } from './runtime-ref.js';
import { bindInstance, prepareSlot } from './slot.js';

type Slotted = object & { [SLOT]?: unknown };

function classes() {
  class Parent {}
  prepareSlot(Parent.prototype);
  class Child extends Parent {}
  return { Parent, Child };
}

describe('Nest hands over the runtime', () => {
  it('to the instances of a class and its subclasses, which keep no property', () => {
    for (const type of Object.values(classes())) {
      const [ref, instance] = [new RuntimeRef(), new type() as Slotted];
      expect(instance[SLOT]).toBeUndefined();
      instance[SLOT] = ref;
      expect(bindingOf(instance)!.ref).toBe(ref);
      expect(instance[SLOT]).toBe(bindingOf(instance));
      expect(Reflect.ownKeys(instance)).toEqual([]);
    }
  });

  it.each([undefined, null, 7, {}, new Proxy({}, { get: () => jest.fn() })])(
    'or nothing, if a test tool injects something else: case %#',
    (other) => {
      const instance = new (classes().Child)() as Slotted;
      instance[SLOT] = other;
      expect(bindingOf(instance)).toBeUndefined();
    },
  );

  it('through one property, however many decorators prepare it', () => {
    const { Parent, Child } = classes();
    prepareSlot(Parent.prototype);
    prepareSlot(Child.prototype);
    expect(Object.hasOwn(Child.prototype, SLOT)).toBe(false);
    const injected = Reflect.getMetadata('self:properties_metadata', Parent) as unknown[];
    expect(injected).toHaveLength(1);
    expect(Object.getOwnPropertyDescriptor(Parent.prototype, SLOT)).toMatchObject({
      configurable: true,
      enumerable: false,
    });
  });
});

describe('an instance that Nest has not built', () => {
  it('is bound if its class has policies', () => {
    const [ref, instance] = [new RuntimeRef(), new (classes().Child)()];
    bindInstance(instance, ref, false);
    expect(bindingOf(instance)!.ref).toBe(ref);
  });

  it.each<[string, object]>([
    ['its class has none', new (class {})()],
    [
      'it refuses to tell',
      new Proxy(
        {},
        {
          has: () => {
            throw new Error('deaf');
          },
        },
      ),
    ],
  ])('is left alone if %s', (_, instance) => {
    bindInstance(instance, new RuntimeRef(), false);
    expect(bindingOf(instance)).toBeUndefined();
  });
});
