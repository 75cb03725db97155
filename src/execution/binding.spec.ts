import { bindBuilt, bindGiven, bindingOf, isBinding } from './binding.js';
import { RuntimeRef } from './runtime-ref.js';

class S {}

/** The plans of an application, of which each class has others. */
function plansOf() {
  const all = new Map<object, []>();
  return {
    ofClass: (prototype: object): [] => {
      if (!all.has(prototype)) all.set(prototype, []);
      return all.get(prototype)!;
    },
  };
}

function running(live = true): RuntimeRef {
  return Object.assign(new RuntimeRef(), { runtime: {} as never, live });
}

describe('an instance', () => {
  it('is bound to nothing at first', () => {
    expect(bindingOf(new S())).toBeUndefined();
  });

  it.each([undefined, null, 7, 'text'])('is not %p, which is bound to nothing', (value) => {
    expect(bindingOf(value)).toBeUndefined();
  });

  it('that an application has built belongs to it', () => {
    const [ref, instance] = [new RuntimeRef(), new S()];
    bindBuilt(instance, ref);
    expect(bindingOf(instance)!.ref).toBe(ref);
    expect(bindingOf(new S())).toBeUndefined();
  });

  it('without a prototype can be bound too', () => {
    const [ref, instance] = [new RuntimeRef(), Object.create(null) as object];
    bindBuilt(instance, ref);
    const plans = plansOf();
    bindingOf(instance)!.learn(plans);
    expect(bindingOf(instance)!.plans).toBe(plans.ofClass(Object.prototype));
  });

  it('shares its plans with the others of its class and application, and with no others', () => {
    const [one, two] = [new RuntimeRef(), new RuntimeRef()];
    const [first, second, other, elsewhere] = [new S(), new S(), new (class {})(), new S()];
    for (const instance of [first, second, other]) bindBuilt(instance, one);
    bindBuilt(elsewhere, two);
    const plans = plansOf();
    bindingOf(first)!.learn(plans);
    expect(bindingOf(first)!.plans).toBe(plans.ofClass(S.prototype));
    expect(bindingOf(second)!.plans).toBe(plans.ofClass(S.prototype));
    expect(bindingOf(other)!.plans).toBeUndefined();
    expect(bindingOf(elsewhere)!.plans).toBeUndefined();
  });

  it('of an application that has no options yet is starting', () => {
    const [ref, instance] = [new RuntimeRef(), new S()];
    bindBuilt(instance, ref);
    expect(bindingOf(instance)!.starting).toBe(true);
    ref.runtime = {} as never;
    expect(bindingOf(instance)!.starting).toBe(false);
  });
});

describe('an instance that was given to an application', () => {
  it.each([
    ['stays with the running one that uses it already', running(), true],
    ['leaves one that has not started, or is closed', running(false), false],
  ])('%s', (_, former, stays) => {
    for (const forSeveral of [true, false]) {
      const [instance, ref] = [new S(), new RuntimeRef()];
      bindGiven(instance, former, forSeveral);
      bindGiven(instance, ref, forSeveral);
      expect(bindingOf(instance)!.ref).toBe(stays ? former : ref);
    }
  });

  it('that was built for it stays as it is', () => {
    const [instance, ref] = [new S(), new RuntimeRef()];
    bindBuilt(instance, ref);
    const binding = bindingOf(instance);
    bindGiven(instance, ref, true);
    expect(bindingOf(instance)).toBe(binding);
  });

  it('and perhaps to others keeps none alive: it learns no plans, and never waits', () => {
    const [instance, ref] = [new S(), new RuntimeRef()];
    bindGiven(instance, ref, true);
    const binding = bindingOf(instance)!;
    binding.learn(plansOf());
    expect(binding).toMatchObject({ ref, plans: undefined, starting: false });
  });

  it('alone learns its plans', () => {
    const [instance, ref] = [new S(), new RuntimeRef()];
    bindGiven(instance, ref, false);
    bindingOf(instance)!.learn(plansOf());
    expect(bindingOf(instance)).toMatchObject({ plans: [], starting: true });
  });
});

describe('a binding', () => {
  it('is told from anything else', () => {
    const instance = new S();
    bindBuilt(instance, new RuntimeRef());
    expect(isBinding(bindingOf(instance))).toBe(true);
    for (const other of [undefined, null, 7, {}, instance]) expect(isBinding(other)).toBe(false);
  });
});
