import { shared } from '../common/brand.js';
import { type Returns, returnsOf } from './return-type.js';

/** A function of any shape, as methods are. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Policies by kind, with their options as decorators recorded them. */
export type PolicyRecord = ReadonlyMap<string, object>;

const DECORATED = 'nest-resilience:decorated-method';
const DECORATED_KEYS = 'nest-resilience:decorated-keys';
const SIGNAL = 'nest-resilience:signal';

const counter = shared('decorated-method-counter', () => Object.seal({ next: 0 }));

/** A method that policies protect, and what decorators have recorded of it. */
export class DecoratedMethod {
  /** Counted through in this process: where runtimes look its plans up. */
  readonly index = counter.next++;
  readonly policies = new Map<string, object>();
  /** Replaces the method. */
  wrapper: Method | undefined = undefined;

  constructor(
    /** The prototype that has the method, or the class when it is static. */
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

  /** How many parameters it declares; `length` stops at the first with a default. */
  get arity(): number {
    const declared: unknown = Reflect.getMetadata('design:paramtypes', this.target, this.key);
    return Math.max(this.original.length, Array.isArray(declared) ? declared.length : 0);
  }

  /** Where `@Signal()` stands among the parameters. */
  get signalIndex(): number | undefined {
    return Reflect.getMetadata(SIGNAL, this.target, this.key) as number | undefined;
  }

  get returns(): Returns {
    return returnsOf(this);
  }
}

/** The decorated method behind a wrapper, also through other decorators' wrappers that copy metadata. */
export function decoratedMethodOf(method: unknown): DecoratedMethod | undefined {
  if (typeof method !== 'function') return undefined;
  return Reflect.getOwnMetadata(DECORATED, method) as DecoratedMethod | undefined;
}

/** The decorated method that `target` itself declares, whatever stands in its place by now (a spy). */
export function decoratedMethodAt(
  target: object,
  key: string | symbol,
): DecoratedMethod | undefined {
  return (
    (Reflect.getOwnMetadata(DECORATED, target, key) as DecoratedMethod | undefined) ??
    decoratedMethodOf(Object.getOwnPropertyDescriptor(target, key)?.value)
  );
}

/** The keys of the methods that `target` itself has, and of those that were decorated on it. */
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
