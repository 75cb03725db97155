import { callScope } from '../pipeline/call-scope.js';
import { takeFallbackCall } from './fallback-call.js';
import type { MethodPlan } from './plan.js';
import { runtimeOf } from './runtime-ref.js';
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
      const asFallback = takeFallbackCall(this, key);
      const runtime = runtimeOf(this, site);
      if (runtime === undefined) return original.apply(this, args);
      let plan: MethodPlan | undefined;
      try {
        plan = runtime.calls.of(site, this, asFallback);
      } catch (error) {
        // A class that was not there at bootstrap is not configured well.
        if (site.returns === 'promise') return Promise.reject(error);
        throw error;
      }
      if (plan === undefined) return original.apply(this, args);
      return runtime.invoke(plan, this, args, scope);
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
