import type { ProtectedMethod } from '../policies/policy.js';
import { type Built, InstanceRegister } from './instances.js';

class Parent {}
class Child extends Parent {}
class Other {}

const built = (type: Function, instance?: object, scope?: string): Built => ({
  type,
  instance,
  scope,
});

const methodOf = (owner: Function): ProtectedMethod => ({ owner }) as never;

/** The instances of a class, as a method of it sees them. */
function instancesOf(owner: Function, all: readonly Built[]) {
  const register = new InstanceRegister();
  register.explore(() => all);
  return register.of(methodOf(owner));
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('while the application starts, a class has', () => {
  it.each<[string, Built[], string | undefined]>([
    ['one instance', [built(Parent, new Parent())], undefined],
    ['none', [], undefined],
    [
      'two instances, and a reason',
      [built(Parent, new Parent()), built(Parent, new Parent())],
      'the application has 2 instances of Parent',
    ],
    [
      'one for each request, and a reason',
      [built(Parent, undefined, 'request-scoped')],
      'Parent is request-scoped',
    ],
    [
      'one that is shared and others that are transient, and a reason',
      [built(Parent, new Parent()), built(Parent, undefined, 'transient')],
      'Parent is transient',
    ],
    [
      'one instance of its own, whatever subclasses have',
      [built(Parent, new Parent()), built(Child, new Child())],
      undefined,
    ],
    [
      'those of its subclasses, if it has none of its own',
      [
        built(Child, new Child()),
        built(class extends Parent {}, new Parent()),
        built(Other, new Other()),
      ],
      'the application has 2 instances of Parent',
    ],
  ])('%s', (_, all, reason) => {
    expect(instancesOf(Parent, all).many).toBe(reason);
  });

  it('one instance that several modules provide', () => {
    const shared = new Parent();
    const { many, isOnly } = instancesOf(Parent, [built(Parent, shared), built(Parent, shared)]);
    expect(many).toBeUndefined();
    expect(isOnly(shared)).toBe(true);
  });
});

describe('an instance is the only one', () => {
  it('when no other has been built', () => {
    const only = new Parent();
    const { isOnly } = instancesOf(Parent, [built(Parent, only), built(Other, new Other())]);
    expect(isOnly(only)).toBe(true);
    expect(isOnly(new Parent())).toBe(false);
    expect(isOnly(undefined)).toBe(false);
  });

  it('but not when there are more, or will be', () => {
    const [one, two] = [new Parent(), new Parent()];
    expect(instancesOf(Parent, [built(Parent, one), built(Parent, two)]).isOnly(one)).toBe(false);
    const scoped = [built(Parent, one), built(Parent, undefined, 'transient')];
    expect(instancesOf(Parent, scoped).isOnly(one)).toBe(false);
    expect(instancesOf(Parent, scoped).isOnly(undefined)).toBe(false);
  });

  it('of a class of which nothing is known', () => {
    const { many, isOnly } = new InstanceRegister().of(methodOf(Parent));
    expect(many).toBeUndefined();
    expect(isOnly(new Parent())).toBe(false);
    expect(isOnly(undefined)).toBe(false);
  });
});

describe('a class that is first called after the start', () => {
  it('has no reason to fail, but the instances that there are by then', async () => {
    const all = [built(Parent, new Parent()), built(Parent, new Parent())];
    const register = new InstanceRegister();
    register.explore(() => all);
    await turn();
    const { many, isOnly } = register.of(methodOf(Parent));
    expect(many).toBeUndefined();
    all.pop();
    expect(isOnly(all[0]!.instance)).toBe(true);
    all.push(built(Parent, new Parent()));
    expect(isOnly(all[0]!.instance)).toBe(true); // checked once
    expect(isOnly(all[1]!.instance)).toBe(false);
  });
});
