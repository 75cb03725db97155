import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { INTERCEPTORS } from './handler-kinds.js';
import { keepOnlyLive } from './keep-only-live.js';
import type { DecoratedMethod } from '../methods/decorated-method.js';

/** The members of Nest's `CacheInterceptor` and its subclasses. */
interface CacheInterceptor extends NestInterceptor {
  trackBy(context: ExecutionContext): unknown;
}

/** The `CacheInterceptor`s on a decorated handler, as classes or objects. */
export function cacheInterceptorsOn({
  target,
  key,
}: DecoratedMethod): (Function | CacheInterceptor)[] {
  const method = (target as Record<string | symbol, object>)[key]!;
  const all = (Reflect.getMetadata(INTERCEPTORS, method) ?? []) as unknown[];
  return all.filter((each): each is Function | CacheInterceptor =>
    isCacheInterceptor(typeof each === 'function' ? (each.prototype as unknown) : each),
  );
}

export function isCacheInterceptor(value: unknown): value is CacheInterceptor {
  const { trackBy, intercept } = (value ?? {}) as Partial<CacheInterceptor>;
  return typeof trackBy === 'function' && typeof intercept === 'function';
}

const sparing = new WeakSet<object>();

/**
 * Makes a `CacheInterceptor` store live answers only.
 *
 * @param cache an instance, or the prototype of a class with an instance per request
 */
export function storeOnlyLive(cache: CacheInterceptor): void {
  if (sparing.has(cache)) return;
  sparing.add(cache);
  const intercept = Reflect.get(cache, 'intercept') as (
    this: CacheInterceptor,
    ...given: Parameters<CacheInterceptor['intercept']>
  ) => ReturnType<CacheInterceptor['intercept']>;
  cache.intercept = function (
    this: CacheInterceptor,
    context: ExecutionContext,
    next: CallHandler,
  ) {
    return keepOnlyLive(next, (live) => intercept.call(this, context, live));
  };
}
