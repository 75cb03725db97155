import { callScope } from '../pipeline/call-scope.js';
import { planOf } from './call-plans.js';
import { takeSubstituteCall } from './substitute-call.js';
import { invoke } from './invoke.js';
import type { MethodPlan } from './plan.js';
import { type Method, Site, markSite, siteOf } from './site.js';

/**
 * The site of a method that is being decorated. The first decorator of ours replaces the method by a wrapper;
 * further ones find the wrapper and add to its site.
 */
export function siteAt(target: object, key: string | symbol, descriptor: PropertyDescriptor): Site {
  const method = descriptor.value as Method;
  const known = siteOf(method);
  if (known !== undefined) return known;
  const site = new Site(target, key, method);
  descriptor.value = wrap(site);
  return site;
}

function wrap(site: Site): Method {
  const { original, key } = site;
  const name = typeof key === 'symbol' ? original.name : key;
  const wrapper: Method = {
    [name](this: unknown, ...args: unknown[]): unknown {
      const scope = callScope.getStore();
      const attempt = scope?.handler;
      if (attempt?.claims(site)) return attempt.run(original, this, args);
      const asSubstitute = takeSubstituteCall(this, key);
      let plan: MethodPlan | undefined;
      try {
        plan = planOf(site, this, asSubstitute);
      } catch (error) {
        // A class that was not there at bootstrap is not configured well.
        if (site.returns === 'promise') return Promise.reject(error);
        throw error;
      }
      return plan === undefined ? original.apply(this, args) : invoke(plan, this, args, scope);
    },
  }[name]!;
  Object.defineProperty(wrapper, 'length', { value: original.length, configurable: true });
  // Nest's decorators may stand above or below ours: what was recorded so far moves to the wrapper.
  for (const metadata of Reflect.getOwnMetadataKeys(original)) {
    Reflect.defineMetadata(metadata, Reflect.getOwnMetadata(metadata, original), wrapper);
  }
  markSite(wrapper, site);
  return wrapper;
}
