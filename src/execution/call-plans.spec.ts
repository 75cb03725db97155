import { Logger } from '@nestjs/common';
import { CircuitBreaker, Retry } from '../index.js';
import { SLOT, bindBuilt, bindGiven, bindingOf } from './binding.js';
import { CallPlans, planOf, tellEarlyCalls, tellEarlyStaticCalls } from './call-plans.js';
import { decoratedMethodOf } from './methods/decorated-method.js';
import { liveRuntimes } from './live-runtimes.js';
import type { OwnedMethod } from './methods/owned-method.js';
import type { MethodPlan } from './plan.js';
import { RuntimeRef } from './runtime-ref.js';
import type { Runtime } from './runtime.js';

class Parent {
  @CircuitBreaker()
  async m(): Promise<void> {}
  @CircuitBreaker()
  static async s(): Promise<void> {}
}
class Child extends Parent {}

const m = decoratedMethodOf(Parent.prototype.m)!;
const s = decoratedMethodOf(Parent.s)!;

/** Plans that tell for which method they were made, and how often one was made. */
function plansOf() {
  const made: OwnedMethod[] = [];
  const calls = new CallPlans((method) => {
    made.push(method);
    return method as unknown as MethodPlan;
  });
  return { calls, made };
}

describe('the plan of a call is made once', () => {
  it('for each class that the method is called on', () => {
    const { calls, made } = plansOf();
    const plan = calls.of(m, new Parent(), false);
    expect(plan).toEqual({ decorated: m, owner: Parent, ownOnly: false });
    expect(calls.of(m, new Parent(), false)).toBe(plan);
    expect(calls.of(m, new Child(), false)).toMatchObject({ owner: Child });
    expect(calls.of(m, new Child(), false)).toMatchObject({ owner: Child });
    expect(made).toHaveLength(2);
  });

  it('for each class whose static method is called', () => {
    const { calls, made } = plansOf();
    expect(calls.of(s, Parent, false)).toMatchObject({ decorated: s, owner: Parent });
    expect(calls.of(s, Child, false)).toMatchObject({ decorated: s, owner: Child });
    calls.of(s, Child, false);
    expect(made).toHaveLength(2);
  });

  it.each([undefined, null, 7, 'text', Object.create(null)])(
    'for all calls on nothing, such as %p',
    (self) => {
      const { calls, made } = plansOf();
      const plan = calls.of(m, self, false);
      expect(plan).toEqual({ decorated: m, owner: Parent, ownOnly: false });
      expect(calls.of(m, undefined, false)).toBe(plan);
      expect(calls.of(s, undefined, false)).toMatchObject({ decorated: s, owner: Parent });
      expect(calls.of(s, null, false)).toMatchObject({ decorated: s, owner: Parent });
      expect(calls.of(s, 7, false)).toMatchObject({ decorated: s, owner: Parent });
      expect(made).toHaveLength(2);
    },
  );

  it('without the policies of the class for a call as a fallback, which is not remembered for others', () => {
    const { calls } = plansOf();
    expect(calls.of(m, new Child(), true)).toEqual({ decorated: m, owner: Child, ownOnly: true });
    expect(calls.of(m, new Child(), false)).toMatchObject({ ownOnly: false });
    expect(calls.of(m, new Child(), true)).toMatchObject({ ownOnly: true });
  });

  it('unless no policy applies to it', () => {
    @Retry()
    class Covered {
      async bare(): Promise<void> {}
    }
    const bare = decoratedMethodOf(Covered.prototype.bare)!;
    const { calls, made } = plansOf();
    expect(calls.of(bare, new Covered(), true)).toBeUndefined();
    expect(calls.of(bare, new Covered(), false)).toMatchObject({ owner: Covered });
    expect(made).toHaveLength(1);
    const other = decoratedMethodOf(Parent.prototype.m)!;
    expect(calls.of(other, new Covered(), false)).toMatchObject({ owner: Parent });
  });
});

describe('a call runs by the plan', () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  const live: Runtime[] = [];
  beforeEach(() => warn.mockClear());
  afterEach(() => {
    for (const runtime of live.splice(0)) liveRuntimes.delete(runtime);
  });
  afterAll(() => warn.mockRestore());

  /** An application that runs. */
  function running() {
    const { calls, made } = plansOf();
    const runtime = { calls } as unknown as Runtime;
    liveRuntimes.add(runtime);
    liveRuntimes.started(runtime);
    live.push(runtime);
    const ref = Object.assign(new RuntimeRef(), { runtime, live: true });
    return { calls, made, ref };
  }

  it('of the application that has built the instance, whatever others run', () => {
    const [one, two] = [running(), running()];
    const [first, second] = [new Child(), new Child()];
    bindBuilt(first, one.ref);
    bindBuilt(second, two.ref);
    const plan = planOf(m, first, false);
    expect(planOf(m, first, false)).toBe(plan);
    expect(planOf(m, second, false)).not.toBe(plan);
    expect(one.calls.of(m, first, false)).toBe(plan);
    expect([one.made, two.made]).toEqual([[plan], [expect.anything()]]);
    expect(bindingOf(first)!.plans).toBe(one.calls.ofClass(Child.prototype));
    expect(planOf(m, first, true)).toMatchObject({ ownOnly: true });
    expect(warn).not.toHaveBeenCalled();
  });

  it('of the application of the instance behind a proxy, or below an object', () => {
    const [one] = [running(), running()];
    const instance = new Child();
    bindBuilt(instance, one.ref);
    Object.defineProperty(Child.prototype, SLOT, { get: () => bindingOf(instance), configurable: true }); // prettier-ignore
    expect(planOf(m, new Proxy(instance, {}), false)).toMatchObject({ owner: Child });
    expect(planOf(m, Object.create(instance), false)).toMatchObject({ owner: Child });
    Reflect.deleteProperty(Child.prototype, SLOT);
    expect(one.made).toHaveLength(2);
  });

  it('of the only application that runs, on anything that belongs to none', () => {
    const { made } = running();
    const deaf = new Proxy(
      {},
      {
        get: () => {
          throw new Error('deaf');
        },
      },
    );
    for (const self of [undefined, null, 7, new Parent(), deaf, { [SLOT]: 7 }]) {
      expect(planOf(m, self, false)).toMatchObject({ decorated: m, owner: Parent });
    }
    expect(made.length).toBeGreaterThan(0);
    expect(warn).not.toHaveBeenCalled();
  });

  it('of the only application that runs, if its own one has been collected', () => {
    const { ref } = running();
    const instance = new Child();
    bindGiven(instance, ref, true);
    jest.spyOn(bindingOf(instance)!, 'ref', 'get').mockReturnValue(undefined);
    expect(planOf(m, instance, false)).toMatchObject({ owner: Child });
  });

  it('of none while none runs', () => {
    expect(planOf(m, new Parent(), false)).toBeUndefined();
    expect(warn).not.toHaveBeenCalled();
  });

  it('of none before its application has it, of which a warning tells afterwards', () => {
    class Hasty extends Parent {}
    class Forgotten extends Parent {}
    const instance = new Hasty();
    for (const self of [instance, instance, new Forgotten()]) planOf(m, self, false);
    planOf(m, new Forgotten(), true);
    planOf(s, Hasty, false);
    expect(warn).not.toHaveBeenCalled(); // it may be an object of a test
    tellEarlyCalls(instance);
    tellEarlyCalls(instance);
    tellEarlyCalls(new Forgotten());
    tellEarlyStaticCalls();
    tellEarlyStaticCalls();
    expect(warn.mock.calls.flat()).toEqual([
      'Hasty.m runs without its policies: it is called in a constructor or a factory, before its application has the instance',
      'Hasty.s runs without its policies: it is called while no application runs',
    ]);
  });

  it('of none while several run, of which a warning tells once for each method and class', () => {
    running();
    running();
    for (const self of [new Parent(), new Parent(), undefined, new Child()]) {
      expect(planOf(m, self, false)).toBeUndefined();
    }
    expect(planOf(s, Child, false)).toBeUndefined();
    const reason = 'no application has built its instance, and several are running';
    expect(warn.mock.calls.flat()).toEqual(
      ['Parent.m', 'Child.m', 'Child.s'].map(
        (name) => `${name} runs without its policies: ${reason}`,
      ),
    );
    expect(warn.mock.contexts[0]).toMatchObject({ context: 'Resilience' });
  });

  it('of none, also when the logger throws', () => {
    warn.mockImplementation(() => {
      throw new Error('disk full');
    });
    running();
    running();
    class Unheard extends Parent {}
    expect(planOf(m, new Unheard(), false)).toBeUndefined();
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('of none while its application is being built, although another one runs', () => {
    running();
    class Early extends Parent {}
    const instance = new Early();
    bindBuilt(instance, new RuntimeRef());
    expect(planOf(m, instance, false)).toBeUndefined();
    expect(warn.mock.calls.flat()).toEqual([
      'Early.m runs without its policies: its application is still being built, and has no options yet',
    ]);
  });
});
