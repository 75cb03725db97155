import { types } from 'node:util';
import { isObservable, Observable } from 'rxjs';

/** A function of any shape, as methods are. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Policies by kind, with their options as decorators recorded them. */
export type PolicyRecord = ReadonlyMap<string, object>;

/** What a method hands to its caller, as far as policies have to know. */
export type Returns = 'promise' | 'observable' | 'iterable';

const SITE = 'nest-resilience:site';
const SIGNAL = 'nest-resilience:signal';
const SIGNALLED = 'nest-resilience:signalled';
const CLASS_POLICIES = 'nest-resilience:class-policies';
const MISPLACED = 'nest-resilience:misplaced';
const LEFT_OUT = 'nest-resilience:left-out';

/** A method that policies protect: what decorators have recorded of it. */
export class Site {
  readonly policies = new Map<string, object>();

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

  /** From the declared return type, which TypeScript records for decorated methods. */
  get returns(): Returns {
    if (isAsyncGenerator(this.original)) return 'iterable';
    const type: unknown = Reflect.getMetadata('design:returntype', this.target, this.key);
    return type === Observable || isObservable((type as Function | undefined)?.prototype)
      ? 'observable'
      : 'promise';
  }

  /** Whether the method is known to be asynchronous, without calling it. */
  get asynchronous(): boolean {
    if (types.isAsyncFunction(this.original) || this.returns !== 'promise') return true;
    return Reflect.getMetadata('design:returntype', this.target, this.key) === Promise;
  }
}

function isAsyncGenerator(method: Method): boolean {
  return types.isAsyncFunction(method) && types.isGeneratorFunction(method);
}

/** The site behind a wrapper, also through other decorators' wrappers that copy metadata. */
export function siteOf(method: unknown): Site | undefined {
  if (typeof method !== 'function') return undefined;
  return Reflect.getOwnMetadata(SITE, method) as Site | undefined;
}

export function markSite(wrapper: Method, site: Site): void {
  Reflect.defineMetadata(SITE, site, wrapper);
}

export function recordSignal(target: object, key: string | symbol, index: number): void {
  Reflect.defineMetadata(SIGNAL, index, target, key);
  record(SIGNALLED, typeof target === 'function' ? target : target.constructor, key);
}

/** The methods of a class and those that it extends that have a `@Signal()`. */
export function signalledOn(owner: Function): Set<string | symbol> {
  return new Set(recorded<string | symbol>(SIGNALLED, owner));
}

export function recordClassPolicy(type: Function, kind: string, options: object): void {
  const own = Reflect.getOwnMetadata(CLASS_POLICIES, type) as PolicyRecord | undefined;
  Reflect.defineMetadata(CLASS_POLICIES, new Map([...(own ?? []), [kind, options]]), type);
}

/** A decorator that stands where it has no effect. */
export interface Misplaced {
  readonly key: string | symbol;
  /** As users know it: `@Retry`. */
  readonly label: string;
  readonly problem: string;
}

/** Remembers a misplaced decorator until the application starts, which then tells of all problems at once. */
export function recordMisplaced(type: Function, misplaced: Misplaced): void {
  record(MISPLACED, type, misplaced);
}

/** Remembers a method that class-level policies do not cover. */
export function recordLeftOut(type: Function, key: string | symbol): void {
  record(LEFT_OUT, type, key);
}

/** The misplaced decorators of a class and those that it extends. */
export function misplacedOn(owner: Function): Misplaced[] {
  return recorded(MISPLACED, owner);
}

/** The methods of a class and those that it extends that class-level policies do not cover. */
export function leftOutOf(owner: Function): Set<string | symbol> {
  return new Set(recorded<string | symbol>(LEFT_OUT, owner));
}

function record(list: string, type: Function, item: unknown): void {
  const own = Reflect.getOwnMetadata(list, type) as readonly unknown[] | undefined;
  Reflect.defineMetadata(list, [...(own ?? []), item], type);
}

function recorded<T>(list: string, owner: Function): T[] {
  return lineOf(owner, Function.prototype).flatMap(
    (type) => (Reflect.getOwnMetadata(list, type) as readonly T[] | undefined) ?? [],
  );
}

/** An object and those that it inherits from, nearest first, up to but without `end`. */
export function lineOf(start: object, end: object): object[] {
  const line: object[] = [];
  for (let each: object | null = start; each !== null && each !== end; each = parentOf(each)) {
    line.push(each);
  }
  return line;
}

/** What holds for `site` when it is called on an `owner`: its own policies, then those of the nearest class. */
export function policiesOf(site: Site, owner: Function): PolicyRecord {
  const all = new Map(site.policies);
  for (const type of lineOf(owner, Function.prototype)) {
    const own = Reflect.getOwnMetadata(CLASS_POLICIES, type) as PolicyRecord | undefined;
    for (const [kind, options] of own ?? []) if (!all.has(kind)) all.set(kind, options);
  }
  return all;
}

/** What an object inherits from. */
function parentOf(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null;
}

/** All sites that instances of `owner`, or the class itself, have. */
export function sitesOf(owner: Function): Site[] {
  const sites: Site[] = [];
  const seen = new Set<string | symbol>();
  const collect = (from: object | null, end: object): void => {
    for (let holder = from; holder !== null && holder !== end; holder = parentOf(holder)) {
      for (const key of Reflect.ownKeys(holder)) {
        if (seen.has(key)) continue;
        seen.add(key);
        const site = siteOf(Object.getOwnPropertyDescriptor(holder, key)?.value);
        if (site !== undefined) sites.push(site);
      }
    }
  };
  collect((owner.prototype as object | undefined) ?? null, Object.prototype);
  seen.clear();
  collect(owner, Function.prototype);
  return sites;
}
