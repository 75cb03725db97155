import type { InjectionToken, Provider } from '@nestjs/common';
import { INTERCEPTORS } from './handlers.js';
import { ResilienceInterceptor } from './resilience.interceptor.js';
import type { RuntimeRef } from './runtime-ref.js';

/** The part of Nest's `Module` that is used here. */
interface NestModule {
  readonly injectables: ReadonlyMap<InjectionToken, unknown>;
  addInjectable(injectable: Provider, subtype: 'interceptor'): unknown;
}

/**
 * Has Nest run the {@link ResilienceInterceptor} for a decorated method, should it be a handler, as the outermost of
 * the method's interceptors. Decorators do this before Nest's own may have marked the method, so it is done for each.
 */
export function attachInterceptor(wrapper: Function): void {
  const others = (Reflect.getOwnMetadata(INTERCEPTORS, wrapper) ?? []) as unknown[];
  Reflect.defineMetadata(INTERCEPTORS, [ResilienceInterceptor, ...others], wrapper);
}

/**
 * Gives a module the interceptor that its handlers name. Nest does so by itself for the methods that it has seen
 * decorated when it scanned the module, but not for those of classes that are covered later, nor for `useClass`.
 */
export function offerInterceptor(module: NestModule, ref: RuntimeRef): void {
  if (module.injectables.has(ResilienceInterceptor)) return;
  const useValue = new ResilienceInterceptor(ref);
  module.addInjectable({ provide: ResilienceInterceptor, useValue }, 'interceptor');
}
