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
    const plan = this.find(this.resolve(site, holder));
    this.last[site.index] = { holder, plan };
    return plan;
  }

  private resolve(site: Site, holder: unknown): OwnedMethod {
    const isObject = typeof holder === 'function' || typeof holder === 'object';
    return ownedMethod(site, isObject && holder !== null ? holder : undefined);
  }

  private find(method: OwnedMethod): MethodPlan | undefined {
    return policiesOf(method).size === 0 ? undefined : this.planFor(method);
  }
}
