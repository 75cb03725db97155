import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { keepOnlyLive } from './keep-only-live.js';
import type { DecoratedMethod } from './decorated-method.js';

/** As `@UseInterceptors()` records them. */
const INTERCEPTORS = '__interceptors__';

/** The members of Nest's `CacheInterceptor` and its subclasses. */
interface CacheInterceptor extends NestInterceptor {
  trackBy(context: ExecutionContext): unknown;
}

/** The `CacheInterceptor`s that stand on a decorated handler: their classes, or the very objects. */
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
 * Has a `CacheInterceptor` store live answers only: one instance, or the prototype of a class of which each request has
 * an instance of its own.
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
