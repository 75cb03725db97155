import { shared } from '../common/brand.js';
import { type Returns, returnsOf } from './return-type.js';

/** A function of any shape, as methods are. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Policies by kind, with their options as decorators recorded them. */
export type PolicyRecord = ReadonlyMap<string, object>;

const SITE = 'nest-resilience:site';
const SITE_KEYS = 'nest-resilience:site-keys';
const SIGNAL = 'nest-resilience:signal';

const counter = shared('site-counter', () => Object.seal({ next: 0 }));

/** A method that policies protect: what decorators have recorded of it. */
export class Site {
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

/** The site behind a wrapper, also through other decorators' wrappers that copy metadata. */
export function siteOf(method: unknown): Site | undefined {
  if (typeof method !== 'function') return undefined;
  return Reflect.getOwnMetadata(SITE, method) as Site | undefined;
}

/** The site of the method that `target` itself declares, whatever stands in its place by now (a spy). */
export function siteDeclaredAt(target: object, key: string | symbol): Site | undefined {
  return (
    (Reflect.getOwnMetadata(SITE, target, key) as Site | undefined) ??
    siteOf(Object.getOwnPropertyDescriptor(target, key)?.value)
  );
}

/** The keys of the methods that `target` itself has, and of those that it had sites for. */
export function methodKeysOf(target: object): (string | symbol)[] {
  const declared = (Reflect.getOwnMetadata(SITE_KEYS, target) ?? []) as (string | symbol)[];
  return [...new Set([...Reflect.ownKeys(target), ...declared])];
}

export function markSite(wrapper: Method, site: Site): void {
  const { target, key } = site;
  site.wrapper = wrapper;
  Reflect.defineMetadata(SITE, site, wrapper);
  Reflect.defineMetadata(SITE, site, target, key);
  const keys = (Reflect.getOwnMetadata(SITE_KEYS, target) ?? []) as (string | symbol)[];
  Reflect.defineMetadata(SITE_KEYS, [...keys, key], target);
}

export function markSignal(target: object, key: string | symbol, index: number): void {
  Reflect.defineMetadata(SIGNAL, index, target, key);
}
