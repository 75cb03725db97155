import { prototypeOf } from './class-line.js';
import { type OwnedMethod, ownedMethod, policiesOf } from './owned-method.js';
import type { MethodPlan } from './plan.js';
import type { Site } from './site.js';

interface LastCall {
  /** What the method was called on: a prototype, or the class when it is static. */
  readonly holder: unknown;
  readonly plan: MethodPlan | undefined;
}

/** Finds the plans of calls. The last one of each method is kept here, so that no wrapper keeps an application alive. */
export class CallPlans {
  /** By the index of the site. */
  private readonly last: LastCall[] = [];
  /** By the index of the site and by holder: methods of a base class are called on many. */
  private readonly all: WeakMap<object, LastCall>[] = [];

  constructor(private readonly planFor: (method: OwnedMethod) => MethodPlan) {}

  /**
   * The plan of a call of `site` on `self`; `undefined` when no policy applies to it.
   *
   * @throws {ResilienceConfigurationError} when it is made now and not configured well
   */
  of(site: Site, self: unknown, asFallback: boolean): MethodPlan | undefined {
    const holder = site.static ? self : prototypeOf(self);
    if (asFallback) return this.find({ ...this.resolve(site, holder), ownOnly: true });
    const known = this.last[site.index];
    if (known !== undefined && known.holder === holder) return known.plan;
    const found = this.lookUp(site, holder);
    this.last[site.index] = found;
    return found.plan;
  }

  private lookUp(site: Site, holder: unknown): LastCall {
    if (!isHolder(holder)) return { holder, plan: this.find(this.resolve(site, holder)) };
    const plans = (this.all[site.index] ??= new WeakMap());
    let found = plans.get(holder);
    if (found === undefined) {
      found = { holder, plan: this.find(this.resolve(site, holder)) };
      plans.set(holder, found);
    }
    return found;
  }

  private resolve(site: Site, holder: unknown): OwnedMethod {
    return ownedMethod(site, isHolder(holder) ? holder : undefined);
  }

  private find(method: OwnedMethod): MethodPlan | undefined {
    return policiesOf(method).size === 0 ? undefined : this.planFor(method);
  }
}

function isHolder(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}
