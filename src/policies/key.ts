import type { OptionsReader } from '../common/options-reader.js';
import { swallow } from '../common/outcomes/look.js';
import { show } from '../common/printable.js';
import type { Call } from '../pipeline/call.js';
import type { PolicySite } from './policy.js';

/**
 * Which calls belong together: a function of the call's arguments, called with the instance as `this`, or the name of
 * such a method of the class. It returns a string, a number, a bigint or a boolean.
 */
export type Key = string | ((...args: never[]) => KeyValue);

type KeyValue = string | number | bigint | boolean;

/** A key of certain arguments. TypeScript compares the parameters of methods both ways, so it may be any {@link Key}. */
export type KeyOf<Args extends readonly unknown[]> =
  string | { keyOf(...args: Args): KeyValue }['keyOf'];

/**
 * Returns the key of a call. @throws the error of the user's function, or a TypeError when it returns an invalid key
 */
export type KeyOfCall = (call: Pick<Call, 'self' | 'args'>) => string;

/** A function of a call's arguments, called with the instance as `this`. */
type FunctionOfCall = (this: unknown, ...args: readonly unknown[]) => unknown;

/** Reads and checks `key`; `undefined` when it is absent or wrong (reported). */
export function readKey(
  read: OptionsReader<{ readonly key?: Key }>,
  site: Pick<PolicySite, 'method' | 'name'>,
): KeyOfCall | undefined {
  const key = readFunctionOfCall(read, 'key', site);
  return key && keyOf(key, site.name);
}

/**
 * Reads an option that is a function of the call or the name of such a method; `undefined` when it is absent or wrong
 * (reported).
 *
 * @param orElse another right form, for messages
 */
export function readFunctionOfCall<Options extends object>(
  read: OptionsReader<Options>,
  option: keyof Options & string,
  { method }: Pick<PolicySite, 'method'>,
  orElse?: string,
): FunctionOfCall | undefined {
  const given: unknown = read.raw(option);
  if (given === undefined) return undefined;
  if (typeof given === 'function') return read.prompt(option, given as FunctionOfCall);
  const other = orElse === undefined ? '' : `${orElse}, `;
  if (typeof given !== 'string' || given === '') {
    return read.wrong(option, given, `${other}a function, or the name of a method`);
  }
  if (method === undefined) {
    const right = `${other}a function; a method name works only on decorated methods`;
    return read.wrong(option, given, right);
  }
  const named = methodOf(method.target, given);
  if (named !== undefined) return read.prompt(option, named, `${show(given)}, an async method`);
  return read.wrong(option, given, `${other}the name of a method of ${method.owner.name}`);
}

function keyOf(key: FunctionOfCall, name: string): KeyOfCall {
  return ({ self, args }) => {
    const value = key.apply(self, args as unknown[]);
    switch (typeof value) {
      case 'string':
      case 'number':
      case 'bigint':
      case 'boolean':
        return String(value);
      default:
        swallow(value);
        throw new TypeError(
          `${name}: the key is ${show(value)}; use a string, number, bigint or boolean`,
        );
    }
  };
}

/**
 * The method of that name, inherited ones included, but not accessors or members that every object or function has,
 * such as `toString`. Runs no user code.
 */
export function methodOf(target: object, name: string): FunctionOfCall | undefined {
  if (name === 'constructor' || name === '__proto__') return undefined;
  for (let holder: object | null = target; holder !== null; holder = parentOf(holder)) {
    if (holder === Object.prototype || holder === Function.prototype) return undefined;
    const found = Object.getOwnPropertyDescriptor(holder, name);
    if (found === undefined) continue;
    return typeof found.value === 'function' ? (found.value as FunctionOfCall) : undefined;
  }
  return undefined;
}

function parentOf(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null;
}
