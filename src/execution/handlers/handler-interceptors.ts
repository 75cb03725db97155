import type { InjectionToken, Provider } from '@nestjs/common';
import { INTERCEPTORS } from './handler-kinds.js';
import { ResilienceInterceptor } from './resilience.interceptor.js';
import type { RuntimeRef } from '../runtime-ref.js';

/** The part of Nest's `Module` that is used here. */
interface NestModule {
  readonly injectables: ReadonlyMap<InjectionToken, unknown>;
  addInjectable(injectable: Provider, subtype: 'interceptor'): unknown;
}

/**
 * Makes Nest run the {@link ResilienceInterceptor} for a decorated method, if it is a handler, as the outermost of
 * the method's interceptors. Nest's own decorators may mark the method only later, so this is done for every method.
 */
export function attachInterceptor(wrapper: Function): void {
  const others = (Reflect.getOwnMetadata(INTERCEPTORS, wrapper) ?? []) as unknown[];
  Reflect.defineMetadata(INTERCEPTORS, [ResilienceInterceptor, ...others], wrapper);
}

/**
 * Gives a module the interceptor that its handlers name. Nest does this itself for methods that were already
 * decorated when it scanned the module, but not for classes that are covered later, nor for `useClass`.
 */
export function offerInterceptor(module: NestModule, ref: RuntimeRef): void {
  if (module.injectables.has(ResilienceInterceptor)) return;
  const useValue = new ResilienceInterceptor(ref);
  module.addInjectable({ provide: ResilienceInterceptor, useValue }, 'interceptor');
}
