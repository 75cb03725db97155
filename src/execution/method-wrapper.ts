import { callScope } from '../pipeline/call-scope.js';
import { planOf } from './call-plans.js';
import { takeSubstituteCall } from './substitute-call.js';
import { attachInterceptor } from './handlers/handler-interceptors.js';
import { invoke } from './invoke.js';
import type { MethodPlan } from './plan.js';
import {
  type Method,
  DecoratedMethod,
  markDecorated,
  decoratedMethodOf,
} from './methods/decorated-method.js';

/**
 * The record of a method that is being decorated. The library's first decorator replaces the method with a wrapper; further
 * ones find the wrapper and add to its record.
 */
export function wrapMethod(
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor,
): DecoratedMethod {
  const method = descriptor.value as Method;
  const known = decoratedMethodOf(method);
  if (known !== undefined) return known;
  const decorated = new DecoratedMethod(target, key, method);
  descriptor.value = wrap(decorated);
  return decorated;
}

function wrap(decorated: DecoratedMethod): Method {
  const { original, key } = decorated;
  const named: Record<string | symbol, Method> = {
    [key](this: unknown, ...args: unknown[]): unknown {
      const scope = callScope.getStore();
      const attempt = scope?.handler;
      if (attempt?.claims(decorated)) return attempt.run(original, this, args);
      const asSubstitute = takeSubstituteCall(this, key);
      let plan: MethodPlan | undefined;
      try {
        plan = planOf(decorated, this, asSubstitute);
      } catch (error) {
        // The configuration of a class that was unknown at bootstrap is wrong.
        if (decorated.returns === 'promise') return Promise.reject(error);
        throw error;
      }
      const result =
        plan === undefined ? original.apply(this, args) : invoke(plan, this, args, scope);
      return decorated.around === undefined ? result : decorated.around(result, args);
    },
  };
  const wrapper = named[key]!;
  Object.defineProperty(wrapper, 'length', { value: original.length, configurable: true });
  // Nest's decorators may be above or below ours: copies the metadata recorded so far.
  for (const metadata of Reflect.getOwnMetadataKeys(original)) {
    Reflect.defineMetadata(metadata, Reflect.getOwnMetadata(metadata, original), wrapper);
  }
  attachInterceptor(wrapper);
  markDecorated(wrapper, decorated);
  return wrapper;
}
