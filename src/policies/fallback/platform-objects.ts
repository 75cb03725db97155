import { types } from 'node:util';

/*
 * The kinds of the platform's objects, and their contents. No user code runs: an object may have properties of any
 * name, or be of a class that only looks like one of the platform's.
 */

/** Whether it is more than its properties, although its prototype is that of plain objects. */
export function hasSlots(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isArgumentsObject(value) ||
    types.isBoxedPrimitive(value) ||
    types.isDate(value) ||
    types.isExternal(value) ||
    types.isGeneratorObject(value) ||
    types.isMap(value) ||
    types.isMapIterator(value) ||
    types.isModuleNamespaceObject(value) ||
    types.isNativeError(value) ||
    types.isPromise(value) ||
    types.isRegExp(value) ||
    types.isSet(value) ||
    types.isSetIterator(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value)
  );
}

/** Its kind in messages. */
export function kindOf(value: object, prototype: unknown): string {
  const constructor =
    typeof prototype === 'object' && prototype !== null && !types.isProxy(prototype)
      ? (Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value as unknown)
      : undefined;
  const name: unknown =
    typeof constructor === 'function' && !types.isProxy(constructor)
      ? Object.getOwnPropertyDescriptor(constructor, 'name')?.value
      : undefined;
  if (typeof name === 'string' && name !== '') return `an instance of ${name.slice(0, 100)}`;
  return Array.isArray(value) ? 'an array of a class' : 'an instance of an unnamed class';
}

interface TypedArrayClass {
  readonly name: string;
  readonly prototype: object;
}

type Getter = (this: unknown) => unknown;

function getterOf(prototype: object, name: string): Getter {
  return (Object.getOwnPropertyDescriptor(prototype, name) as { get: Getter }).get;
}

const isAborted = getterOf(AbortSignal.prototype, 'aborted');
const readHref = getterOf(URL.prototype, 'href');
const TypedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const readLength = getterOf(TypedArray, 'length');

/** A signal of the platform: the platform's own getter accepts it. */
export function isPlatformSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  if (Object.getPrototypeOf(value) !== AbortSignal.prototype) return false;
  return answerOf(isAborted, value) !== undefined;
}

/** The text of a URL; `undefined` for an object that only looks like one. */
export function hrefOf(value: object): string | undefined {
  return answerOf(readHref, value) as string | undefined;
}

/** The value of a platform getter; `undefined` for an object of another kind. */
function answerOf(getter: Getter, value: object): unknown {
  try {
    return getter.call(value);
  } catch {
    return undefined;
  }
}

/** The length of a typed array, whatever properties it has. */
export function lengthOf(array: NodeJS.TypedArray): number {
  return readLength.call(array) as number;
}

/** Those that exist in this version of Node. */
export const TYPED_ARRAYS: readonly TypedArrayClass[] = [
  'Buffer',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
].flatMap(
  (name) => (globalThis as unknown as Record<string, TypedArrayClass | undefined>)[name] ?? [],
);

/** By their prototypes. Typed arrays of one kind and length with the same bytes are equal. */
const namesOfTypedArrays = new Map<unknown, string>(
  TYPED_ARRAYS.map(({ prototype, name }) => [prototype, name]),
);

/** `undefined` when it is not the prototype of a class of the platform. */
export function typedArrayName(prototype: unknown): string | undefined {
  return namesOfTypedArrays.get(prototype);
}
