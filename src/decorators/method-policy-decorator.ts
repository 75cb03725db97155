import type { FallbackContext } from '../policies/fallback/handler.js';
import type { Protectable } from './define.js';

/** Exists for the compiler only: the demands of a decorator on the class and the method. */
declare const demands: unique symbol;

/**
 * The arguments of a function. A parameter without a type is `any` to the compiler, since the method's type is unknown
 * there.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- `unknown` would be the type of such parameters
export type Arguments = readonly any[];

/**
 * Decorates a method, not a class: the type of `@Fallback()`, and of a composition that a class cannot have.
 *
 * @typeParam Name the method of the same class that answers: `(...args, context) => Result`; `never` for none
 * @typeParam Result the type of the answer, which must fit the method; `unknown` when it cannot be known
 * @typeParam Args the arguments that the answer is made of, which must be those of the method; `never` when not known
 */
export interface MethodPolicyDecorator<
  Name extends string,
  Result,
  Args extends Arguments = never,
> extends Demanding<Name, Result, Args> {
  /** Decorates a method. */
  <T extends (...args: never[]) => Protectable>(
    target: AnsweringClass<Name, T>,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<T> & FittingResult<T, Result> & FittingArguments<T, Args>,
  ): void;
}

/** A decorator with demands on the class and the method. */
export interface Demanding<Name extends string, Result, Args extends Arguments> {
  /** Does not exist at run time. */
  readonly [demands]: readonly [name: Name, result: Result, args: Args];
}

/** A class with a method of each `Name`, with the arguments of `T` and then the context. */
type AnsweringClass<Name extends string, T extends (...args: never[]) => Protectable> = {
  [key in Name]: (
    ...args: [...Parameters<T>, FallbackContext]
  ) => ResultOf<T> | Protectable<ResultOf<T>>;
};

/** `unknown` when `Result` fits the method (or is not known); otherwise a type whose property explains the compiler error. */
type FittingResult<T, Result> = [unknown] extends [Result]
  ? unknown
  : [AnswerOf<Result>] extends [ResultOf<T>]
    ? unknown
    : { "the fallback's result type does not match the method's": never };

/**
 * The same for a function that takes `Args`: it may take fewer than the method, with wider types.
 * `never[]` are arguments of any type.
 */
type FittingArguments<T extends (...args: never[]) => unknown, Args extends Arguments> = [
  Args[number],
] extends [never]
  ? unknown
  : Taking<Args> extends Taking<Parameters<T>>
    ? unknown
    : { "the fallback's arguments do not match the method's": never };

/** A method, since TypeScript compares the parameters of methods both ways. */
interface Taking<Args extends Arguments> {
  take(...args: Args): void;
}

/** The type of an answer: a fallback may return the value, or a promise or stream of it. */
type AnswerOf<Result> = Result extends Protectable<infer R> ? R : Result;

/** The type of the value that a method's promise or stream yields. */
type ResultOf<T> = T extends (...args: never[]) => Protectable<infer R> ? R : never;
