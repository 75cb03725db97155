import { classLine } from './class-line.js';
import { type PolicyRecord, markSignal } from './decorated-method.js';

const SIGNALLED = 'nest-resilience:signalled';
const CLASS_POLICIES = 'nest-resilience:class-policies';
const MISPLACED = 'nest-resilience:misplaced';

export function recordSignal(target: object, key: string | symbol, index: number): void {
  markSignal(target, key, index);
  record(SIGNALLED, typeof target === 'function' ? target : target.constructor, key);
}

/** The keys of the methods of a class, inherited ones included, that have a `@Signal()`. */
export function signalledOn(owner: Function): Set<string | symbol> {
  return new Set(recorded<string | symbol>(SIGNALLED, owner));
}

export function recordClassPolicy(type: Function, kind: string, options: object): void {
  Reflect.defineMetadata(
    CLASS_POLICIES,
    new Map([...ownClassPolicies(type), [kind, options]]),
    type,
  );
}

/** The policies on the class itself, without inherited ones. */
export function ownClassPolicies(type: Function): PolicyRecord {
  return (Reflect.getOwnMetadata(CLASS_POLICIES, type) as PolicyRecord | undefined) ?? new Map();
}

/** A decorator in a place where it is not allowed. */
export interface Misplaced {
  /** `undefined` for a decorator on the class. */
  readonly key: string | symbol | undefined;
  /** Its name for users: `@Retry`. */
  readonly label: string;
  readonly problem: string;
}

/** Remembers a misplaced decorator until the application starts, when all problems are reported at once. */
export function recordMisplaced(type: Function, misplaced: Misplaced): void {
  record(MISPLACED, type, misplaced);
}

/** The misplaced decorators of a class and the classes that it extends. */
export function misplacedOn(owner: Function): Misplaced[] {
  return recorded(MISPLACED, owner);
}

function record(list: string, type: Function, item: unknown): void {
  const own = Reflect.getOwnMetadata(list, type) as readonly unknown[] | undefined;
  Reflect.defineMetadata(list, [...(own ?? []), item], type);
}

function recorded<T>(list: string, owner: Function): T[] {
  return classLine(owner).flatMap(
    (type) => (Reflect.getOwnMetadata(list, type) as readonly T[] | undefined) ?? [],
  );
}
