import { types } from 'node:util';
import { classLine, lineOf } from './methods/class-line.js';
import { isNeverCovered } from './methods/never-covered.js';
import { ownClassPolicies } from './methods/records.js';
import { returnsNothing, synchronousTypeOf } from './methods/return-type.js';
import { SLOT } from './binding.js';
import { type Method, decoratedMethodAt } from './methods/decorated-method.js';

type Key = string | symbol;

interface Member {
  readonly get?: unknown;
  readonly value?: unknown;
}

/** A warning about the members that the policies of a class cannot cover; `undefined` when there are none. */
export function uncoveredMembers(
  owner: Function,
  instance: object | undefined,
): string | undefined {
  const classes = classLine(owner);
  const topmost = classes.map((type) => ownClassPolicies(type).size > 0).lastIndexOf(true);
  if (topmost === -1) return undefined;
  const { methods, accessors } = membersOf(owner);
  const groups = [
    group(methods, 'not recognizably asynchronous: if it returns a promise, make it `async`'),
    group(asyncFieldsOf(instance), 'a function in a field: make it a method'),
    group(accessors, 'an accessor: make it a method if it returns a promise'),
    group(staticsOf(classes.slice(0, topmost + 1)), 'static: decorate it itself'),
  ];
  const told = groups.filter((each) => each !== undefined).join('; ');
  if (told === '') return undefined;
  return `${owner.name}: the policies on the class do not cover ${told}`;
}

function group(keys: readonly Key[], reason: string): string | undefined {
  return keys.length === 0 ? undefined : `${keys.map(String).join(', ')} (${reason})`;
}

/** Methods and accessors without policies, inherited ones included. */
function membersOf(owner: Function): { methods: Key[]; accessors: Key[] } {
  const methods: Key[] = [];
  const accessors: Key[] = [];
  const seen = new Set<Key>(['constructor', SLOT]);
  for (const holder of lineOf(owner.prototype as object, Object.prototype)) {
    for (const key of Reflect.ownKeys(holder)) {
      if (seen.has(key)) continue;
      seen.add(key);
      const descriptor: Member = Object.getOwnPropertyDescriptor(holder, key)!;
      const member = descriptor.value ?? descriptor.get;
      if (typeof member !== 'function' || decoratedMethodAt(holder, key) !== undefined) continue;
      const original = member as Method;
      if (isNeverCovered({ key, original, wrapper: undefined }, owner)) continue;
      if (synchronousTypeOf({ target: holder, key, original }) !== undefined) continue;
      if (descriptor.get !== undefined) accessors.push(key);
      else if (!returnsNothing(original)) methods.push(key);
    }
  }
  return { methods, accessors };
}

/** Asynchronous functions in fields, mostly arrow functions, of which each instance has its own. */
function asyncFieldsOf(instance: object | undefined): Key[] {
  if (instance === undefined) return [];
  return Reflect.ownKeys(instance).filter((key) =>
    types.isAsyncFunction(Object.getOwnPropertyDescriptor(instance, key)?.value),
  );
}

/** Asynchronous static methods; the wrappers of decorated ones do not count. */
function staticsOf(classes: readonly Function[]): Key[] {
  const keys = classes.flatMap((type) =>
    Reflect.ownKeys(type).filter((key) =>
      types.isAsyncFunction(Object.getOwnPropertyDescriptor(type, key)?.value),
    ),
  );
  return [...new Set(keys)];
}
