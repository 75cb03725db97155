import type { Observable } from 'rxjs';
import { siteAt } from '../execution/method-wrapper.js';
import {
  type Method,
  lineOf,
  recordClassPolicy,
  recordLeftOut,
  recordMisplaced,
  Site,
  siteOf,
} from '../execution/site.js';

/** What a protected method may return. */
export type Protectable<R = unknown> = Promise<R> | Observable<R> | AsyncIterable<R>;

/**
 * Decorates a class, or a method that returns a promise, an Observable or an async iterable. Any other method is
 * a compile-time error.
 */
export interface PolicyDecorator {
  <T extends Function>(target: T): void;
  <T extends (...args: never[]) => Protectable>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ): void;
}

/** Records `options` of the policy `kind`, on a method or on all methods of a class. */
export function definePolicy(kind: string, label: string, options: object): PolicyDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (key === undefined) decorateClass(kind, options, target as Function);
    else decorateMethod(kind, label, options, target, key, descriptor);
  };
}

export function decorateMethod(
  kind: string,
  label: string,
  options: object,
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor | undefined,
): void {
  const owner = typeof target === 'function' ? target : target.constructor;
  if (typeof descriptor?.value !== 'function') {
    const what = descriptor === undefined ? 'a field' : 'an accessor';
    const problem = `decorates ${what}; only methods can be protected`;
    return recordMisplaced(owner, { key, label, problem });
  }
  const { policies } = siteAt(target, key, descriptor);
  if (policies.has(kind)) {
    recordMisplaced(owner, { key, label, problem: 'stands there twice; use it once' });
  }
  policies.set(kind, options);
}

/** Nest calls these itself, at times when nothing can be retried. */
const LIFECYCLE = new Set([
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
]);

function decorateClass(kind: string, options: object, type: Function): void {
  recordClassPolicy(type, kind, options);
  const prototype = type.prototype as object;
  for (const [key, descriptor] of methodsOf(prototype)) {
    if (isAsynchronous(prototype, key, descriptor.value as Method)) {
      siteAt(prototype, key, descriptor);
      Object.defineProperty(prototype, key, descriptor);
    } else {
      recordLeftOut(type, key);
    }
  }
}

/** The methods that an object has or inherits and that no decorator of ours has seen yet. */
function* methodsOf(prototype: object): Iterable<[string | symbol, PropertyDescriptor]> {
  const seen = new Set<string | symbol>(['constructor', ...LIFECYCLE]);
  for (const holder of lineOf(prototype, Object.prototype)) {
    for (const key of Reflect.ownKeys(holder)) {
      if (seen.has(key)) continue;
      seen.add(key);
      const descriptor = Object.getOwnPropertyDescriptor(holder, key)!;
      const { value } = descriptor as { value?: unknown };
      if (typeof value === 'function' && siteOf(value) === undefined) yield [key, descriptor];
    }
  }
}

/**
 * Whether class-level policies cover a method: it is known to be asynchronous, or a handler. Wrapping any other
 * would turn its result into a promise, for its callers inside of the class too.
 */
function isAsynchronous(prototype: object, key: string | symbol, method: Method): boolean {
  const decorated = Reflect.getOwnMetadataKeys(method).length > 0;
  return decorated || new Site(prototype, key, method).asynchronous;
}
