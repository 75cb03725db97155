import { callScope } from '../pipeline/call-report.js';
import { prepareSlot, runtimeOf } from './runtime-ref.js';
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
  const wrapper: Method = {
    [name](this: unknown, ...args: unknown[]): unknown {
      const scope = callScope.getStore();
      if (scope !== undefined && scope.owned === site && !scope.claimed) {
        // An interceptor is carrying out this very call, with the policies.
        scope.claimed = true;
        if (scope.substitute !== undefined) return scope.substitute(this, args);
        const result = original.apply(this, args);
        scope.call?.track(result);
        return result;
      }
      const runtime = runtimeOf(this);
      if (runtime === undefined) return original.apply(this, args);
      return runtime.invoke(site, this, args, scope);
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
