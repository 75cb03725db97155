import { types } from 'node:util';
import { ask, prototypeOf } from './outcomes/look.js';

/** Whether a value is an object literal, or without a prototype; also one of another realm. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = prototypeOf(value);
  return prototype === null || prototypeOf(prototype) === null;
}

/** Whether a value can hold options: any object, also one of a class or a module, but not one that holds something else. */
export function isOptions(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return ask(() => !Array.isArray(value) && !HOLDERS.some((holds) => holds(value)), false);
}

const HOLDERS: readonly ((value: object) => boolean)[] = [
  types.isMap,
  types.isSet,
  types.isDate,
  types.isRegExp,
  types.isPromise,
  types.isNativeError,
  types.isBoxedPrimitive,
  types.isAnyArrayBuffer,
  (value) => ArrayBuffer.isView(value),
];
