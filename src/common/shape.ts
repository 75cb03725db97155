import type { NumberRule } from './options-reader.js';

/**
 * The values of an option, as data: environment variables and the JSON schema get their types from it. The options
 * themselves are checked where they are read; a test keeps both in step.
 */
export type Shape =
  | ({ readonly is: 'duration' | 'integer' | 'number' } & NumberShape)
  | { readonly is: 'boolean' | 'text' | 'anything' }
  /** A function, or a list of functions: only possible in code. */
  | { readonly is: 'code' }
  | { readonly is: 'word'; readonly words: readonly string[] }
  | { readonly is: 'list'; readonly of: ObjectShape }
  | { readonly is: 'either'; readonly of: readonly Shape[] }
  | ObjectShape
  | TaggedShape;

/** The rule of a number. */
export interface NumberShape extends NumberRule {
  /** Whether `Infinity` is allowed too. */
  readonly infinite?: boolean;
}

/** An object with options. */
export interface ObjectShape {
  readonly is: 'object';
  /** The name of its type, whose comments describe the members. */
  readonly type: string;
  readonly members: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
}

/** The result of a builder such as `exponential()`: `{ kind, options }`. */
export interface TaggedShape {
  readonly is: 'tagged';
  /** The name of its type. */
  readonly type: string;
  /** The options by kind; the first kind is the default. */
  readonly kinds: Readonly<Record<string, ObjectShape>>;
}

export const BOOLEAN: Shape = { is: 'boolean' };
export const TEXT: Shape = { is: 'text' };
export const CODE: Shape = { is: 'code' };
/** A number that counts something: at least 1. */
export const COUNT: Shape = { is: 'integer', min: 1 };
/** A duration that is not 0. */
export const TIME: Shape = { is: 'duration', above: 0 };

export function either(...of: readonly Shape[]): Shape {
  return { is: 'either', of };
}

/** @param type the name of `T` */
export function objectShape<T extends object>(
  type: string,
  members: { readonly [K in keyof Required<T>]: Shape },
  required: readonly (keyof T & string)[] = [],
): ObjectShape {
  return { is: 'object', type, members, required };
}
