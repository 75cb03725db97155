import 'reflect-metadata';
import {
  misplacedOn,
  ownClassPolicies,
  recordClassPolicy,
  recordMisplaced,
  recordSignal,
  signalledOn,
} from './records.js';

function classes() {
  class Parent {
    async m(): Promise<void> {}
    static async s(): Promise<void> {}
  }
  class Child extends Parent {}
  return { Parent, Child };
}

describe('the records of a class', () => {
  it('have the methods with signals, its own and those that it inherits', () => {
    const { Parent, Child } = classes();
    recordSignal(Parent.prototype, 'm', 0);
    recordSignal(Parent, 's', 1);
    recordSignal(Child.prototype, 'n', 0);
    expect([...signalledOn(Parent)]).toEqual(['m', 's']);
    expect([...signalledOn(Child)]).toEqual(['n', 'm', 's']);
    expect(signalledOn(Function).size).toBe(0);
    expect(signalledOn(class {}).size).toBe(0);
  });

  it('have the policies of the class itself alone', () => {
    const { Parent, Child } = classes();
    recordClassPolicy(Parent, 'retry', { maxRetries: 1 });
    recordClassPolicy(Parent, 'timeout', { attempt: 1 });
    expect(Object.fromEntries(ownClassPolicies(Parent))).toEqual({
      retry: { maxRetries: 1 },
      timeout: { attempt: 1 },
    });
    expect(ownClassPolicies(Child).size).toBe(0);
  });

  it('have what is misplaced, its own and what it inherits', () => {
    const { Parent, Child } = classes();
    const misplaced = (key: string) => ({ key, label: '@Retry', problem: 'decorates a field' });
    recordMisplaced(Parent, misplaced('one'));
    recordMisplaced(Parent, misplaced('two'));
    recordMisplaced(Child, misplaced('three'));
    expect(misplacedOn(Parent)).toEqual([misplaced('one'), misplaced('two')]);
    expect(misplacedOn(Child)).toEqual([misplaced('three'), misplaced('one'), misplaced('two')]);
  });
});
