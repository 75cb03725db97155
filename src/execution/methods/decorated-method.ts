import { shared } from '../../common/brand.js';
import { type Returns, returnsOf } from './return-type.js';

/** A function of any shape, as methods are. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Policies by kind, with their options as decorators recorded them. */
export type PolicyRecord = ReadonlyMap<string, object>;

const DECORATED = 'nest-resilience:decorated-method';
const DECORATED_KEYS = 'nest-resilience:decorated-keys';
const SIGNAL = 'nest-resilience:signal';

const counter = shared('decorated-method-counter', () => Object.seal({ next: 0 }));

/** A protected method, with the policies that decorators have recorded. */
export class DecoratedMethod {
  /** Unique in this process: the index under which runtimes keep its plans. */
  readonly index = counter.next++;
  readonly policies = new Map<string, object>();
  /** The function that replaces the method. */
  wrapper: Method | undefined = undefined;
  /** Applied to the result of each call, outside of all policies. */
  around: ((result: unknown, args: readonly unknown[]) => unknown) | undefined = undefined;

  constructor(
    /** The prototype that has the method, or the class if it is static. */
    readonly target: object,
    readonly key: string | symbol,
    readonly original: Method,
  ) {}

  get static(): boolean {
    return typeof this.target === 'function';
  }

  /** The class that declares the method. */
  get declaringClass(): Function {
    return this.static ? (this.target as Function) : this.target.constructor;
  }

  /** The number of its parameters, from TypeScript's metadata if there is any: `length` stops at the first default value. */
  get arity(): number {
    const declared: unknown = Reflect.getMetadata('design:paramtypes', this.target, this.key);
    return Math.max(this.original.length, Array.isArray(declared) ? declared.length : 0);
  }

  /** The index of the parameter with `@Signal()`. */
  get signalIndex(): number | undefined {
    return Reflect.getMetadata(SIGNAL, this.target, this.key) as number | undefined;
  }

  get returns(): Returns {
    return returnsOf(this);
  }
}

/** The decorated method behind a wrapper, or behind another decorator's wrapper that has copied the metadata. */
export function decoratedMethodOf(method: unknown): DecoratedMethod | undefined {
  if (typeof method !== 'function') return undefined;
  return Reflect.getOwnMetadata(DECORATED, method) as DecoratedMethod | undefined;
}

/** The decorated method that `target` itself declares, even if something else, such as a spy, has replaced it meanwhile. */
export function decoratedMethodAt(
  target: object,
  key: string | symbol,
): DecoratedMethod | undefined {
  return (
    (Reflect.getOwnMetadata(DECORATED, target, key) as DecoratedMethod | undefined) ??
    decoratedMethodOf(Object.getOwnPropertyDescriptor(target, key)?.value)
  );
}

/** The own keys of `target`, and those of methods that were decorated on it. */
export function methodKeysOf(target: object): (string | symbol)[] {
  const declared = (Reflect.getOwnMetadata(DECORATED_KEYS, target) ?? []) as (string | symbol)[];
  return [...new Set([...Reflect.ownKeys(target), ...declared])];
}

export function markDecorated(wrapper: Method, decorated: DecoratedMethod): void {
  const { target, key } = decorated;
  decorated.wrapper = wrapper;
  Reflect.defineMetadata(DECORATED, decorated, wrapper);
  Reflect.defineMetadata(DECORATED, decorated, target, key);
  const keys = (Reflect.getOwnMetadata(DECORATED_KEYS, target) ?? []) as (string | symbol)[];
  Reflect.defineMetadata(DECORATED_KEYS, [...keys, key], target);
}

export function markSignal(target: object, key: string | symbol, index: number): void {
  Reflect.defineMetadata(SIGNAL, index, target, key);
}
