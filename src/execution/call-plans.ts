import { Logger } from '@nestjs/common';
import { quietLogger } from '../common/quiet-logger.js';
import { type Binding, SLOT, bindingOf, isBinding } from './binding.js';
import { prototypeOf } from './methods/class-line.js';
import { liveRuntimes } from './live-runtimes.js';
import { type OwnedMethod, ownedMethod, policiesOf } from './methods/owned-method.js';
import type { MethodPlan, PlansOfClass } from './plan.js';
import type { DecoratedMethod } from './methods/decorated-method.js';

/** The plans of all calls of decorated methods in one application, each made when it is first needed. */
export class CallPlans {
  /** By the prototype of the instance, or by the class for static methods. */
  private readonly all = new WeakMap<object, PlansOfClass>();
  /** For calls whose `this` has no prototype. */
  private readonly detached: PlansOfClass = [];

  constructor(private readonly planFor: (method: OwnedMethod) => MethodPlan) {}

  /**
   * The plan of a call of `decorated` on `self`; `undefined` when no policy applies to it.
   *
   * @throws {ResilienceConfigurationError} when the plan is made now and the configuration is wrong
   */
  of(decorated: DecoratedMethod, self: unknown, asSubstitute: boolean): MethodPlan | undefined {
    const holder = decorated.static ? self : prototypeOf(self);
    const known = isHolder(holder) ? holder : undefined;
    if (asSubstitute)
      return this.find({ ...ownedMethod(decorated, known), ownOnly: true }) ?? undefined;
    const plans = known === undefined ? this.detached : this.ofClass(known);
    let plan = plans[decorated.index];
    if (plan === undefined)
      plans[decorated.index] = plan = this.find(ownedMethod(decorated, known));
    return plan ?? undefined;
  }

  ofClass(holder: object): PlansOfClass {
    let plans = this.all.get(holder);
    if (plans === undefined) this.all.set(holder, (plans = []));
    return plans;
  }

  private find(method: OwnedMethod): MethodPlan | null {
    return policiesOf(method).size === 0 ? null : this.planFor(method);
  }
}

function isHolder(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}

/**
 * The plan of a call of `decorated` on `self`, in the application that `self` belongs to. If it belongs to none (a static
 * method, an instance from a request-scoped factory), the only running application is used; if there are several or none,
 * the call has no plan. It also has none when no policy applies to it.
 *
 * @throws {ResilienceConfigurationError} when the plan is made now and the configuration is wrong
 */
export function planOf(
  decorated: DecoratedMethod,
  self: unknown,
  asSubstitute: boolean,
): MethodPlan | undefined {
  const binding = bindingOf(self);
  const known = asSubstitute ? undefined : binding?.plans?.[decorated.index];
  if (known !== undefined) return known ?? undefined;
  return findPlan(decorated, self, asSubstitute, binding ?? toldBinding(self));
}

function findPlan(
  decorated: DecoratedMethod,
  self: unknown,
  asSubstitute: boolean,
  binding: Binding | undefined,
): MethodPlan | undefined {
  const own = binding?.ref?.runtime;
  if (own !== undefined) binding!.learn(own.calls);
  else if (binding?.starting) {
    return warnOnce(
      decorated,
      self,
      'its application is still being built, and has no options yet',
    );
  }
  const runtime = own ?? liveRuntimes.only;
  if (runtime === 'several') {
    return warnOnce(
      decorated,
      self,
      'no application has built its instance, and several are running',
    );
  }
  if (runtime !== undefined) return runtime.calls.of(decorated, self, asSubstitute);
  if (binding === undefined && !asSubstitute && isHolder(self)) remember(decorated, self);
  return undefined;
}

/** The methods that were called without an application, on instances that may yet turn out to belong to one. */
const early = new WeakMap<object, Set<DecoratedMethod>>();
/** The same of static methods, by class. */
const earlyStatics = new Map<object, Set<DecoratedMethod>>();

/** Classes may be made without end. */
const MANY = 100;

function remember(decorated: DecoratedMethod, self: object): void {
  const known = decorated.static ? earlyStatics.get(self) : early.get(self);
  if (known !== undefined) known.add(decorated);
  else if (!decorated.static) early.set(self, new Set([decorated]));
  else if (earlyStatics.size < MANY) earlyStatics.set(self, new Set([decorated]));
}

/** Warns about calls of an instance, made before its application had it: by its constructor or its factory. */
export function tellEarlyCalls(instance: object): void {
  const calls = early.get(instance);
  if (calls === undefined) return;
  early.delete(instance);
  for (const decorated of calls) {
    if (policiesOf(ownedMethod(decorated, prototypeOf(instance))).size === 0) continue;
    warnOnce(
      decorated,
      instance,
      'it is called in a constructor or a factory, before its application has the instance',
    );
  }
}

/** Warns about calls of static methods, made before an application was there. */
export function tellEarlyStaticCalls(): void {
  for (const [owner, calls] of earlyStatics) {
    for (const decorated of calls) {
      if (policiesOf(ownedMethod(decorated, owner)).size === 0) continue;
      warnOnce(decorated, owner, 'it is called while no application runs');
    }
  }
  earlyStatics.clear();
}

/** The binding as read from `self` itself: for a proxy of an instance, for example. */
function toldBinding(self: unknown): Binding | undefined {
  try {
    const told = (self as { [SLOT]?: unknown } | null | undefined)?.[SLOT];
    return isBinding(told) ? told : undefined;
  } catch {
    return undefined; // a proxy that throws
  }
}

const warned = new Set<string>();

/** Warns about a method that runs without its policies: nothing is silently unprotected. */
function warnOnce(decorated: DecoratedMethod, self: unknown, reason: string): undefined {
  const { owner } = ownedMethod(decorated, decorated.static ? (self as object) : prototypeOf(self));
  const message = `${owner.name}.${String(decorated.key)} runs without its policies: ${reason}`;
  if (warned.has(message)) return;
  warned.add(message);
  quietLogger(new Logger('Resilience')).warn(message);
}
