import { callScope } from '../pipeline/call-scope.js';
import { prepareSlot, runtimeOf } from './runtime-ref.js';
import type { MethodPlan } from './plan.js';
import type { Runtime } from './runtime.js';
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
  if (!site.static) prepareSlot(target);
  return site;
}

function wrap(site: Site): Method {
  const { original, key } = site;
  const name = typeof key === 'symbol' ? original.name : key;
  // The plan that was used last: most methods have but one.
  let plan: MethodPlan | undefined;
  let lastRuntime: Runtime | undefined;
  let lastOwner: Function | undefined;
  const wrapper: Method = {
    [name](this: unknown, ...args: unknown[]): unknown {
      const scope = callScope.getStore();
      const attempt = scope?.handler;
      if (attempt?.claims(site)) return attempt.run(original, this, args);
      const runtime = runtimeOf(this);
      if (runtime === undefined) return original.apply(this, args);
      const owner = ownerOf(site, this);
      if (runtime !== lastRuntime || owner !== lastOwner) {
        try {
          plan = runtime.planFor(site, owner);
        } catch (error) {
          // A class that was not there at bootstrap is not configured well.
          if (site.returns === 'promise') return Promise.reject(error);
          throw error;
        }
        lastRuntime = runtime;
        lastOwner = owner;
      }
      return runtime.invoke(plan!, this, args, scope);
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

/** The class that a call is made on: state is kept by it. */
function ownerOf(site: Site, self: unknown): Function {
  if (site.static) return typeof self === 'function' ? self : site.declaringClass;
  const owner: unknown = (self as object | null | undefined)?.constructor;
  return typeof owner === 'function' ? owner : site.declaringClass;
}
