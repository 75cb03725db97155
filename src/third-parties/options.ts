import type { Observable } from 'rxjs';
import type { PipelineOptions } from '../execution/module-options.js';

/**
 * The policies of a method: options by policy, as in `forRoot({ pipelines })`, or the name of a pipeline. With `pipeline`,
 * options change that pipeline's or add to it. `{}`: no policies, not even those of `'*'`.
 */
export type MethodPolicies = string | (PipelineOptions & { readonly pipeline?: string });

/** Whether policies can apply to a method that returns `R`. `unknown` stands for an overload that does not exist. */
type IsAsynchronous<R> = 0 extends 1 & R
  ? true
  : unknown extends R
    ? false
    : Extract<R, PromiseLike<unknown> | Observable<unknown> | AsyncIterable<unknown>> extends never
      ? false
      : true;

/** Whether one of the overloads of a method is asynchronous. */
type HasPolicies<F> = F extends {
  (...args: never): infer R1;
  (...args: never): infer R2;
  (...args: never): infer R3;
  (...args: never): infer R4;
  (...args: never): infer R5;
  (...args: never): infer R6;
  (...args: never): infer R7;
  (...args: never): infer R8;
}
  ? true extends
      | IsAsynchronous<R1>
      | IsAsynchronous<R2>
      | IsAsynchronous<R3>
      | IsAsynchronous<R4>
      | IsAsynchronous<R5>
      | IsAsynchronous<R6>
      | IsAsynchronous<R7>
      | IsAsynchronous<R8>
    ? true
    : false
  : F extends (...args: never) => infer R
    ? IsAsynchronous<R>
    : false;

/** The methods of `T` that return a promise, an Observable or an async iterable, at least in one overload. */
export type AsynchronousMethod<T> = {
  [K in keyof T]-?: HasPolicies<NonNullable<T[K]>> extends true ? K : never;
}[keyof T];

/** Policies by method. A method of a member is given by its path: `'user.findMany'`. */
export type PoliciesByMethod<T> = {
  readonly [K in AsynchronousMethod<T>]?: MethodPolicies;
} & { readonly [path: `${string}.${string}`]: MethodPolicies };

/** Options of `ResilienceService.protect()` and `protectProvider()`. `methods`, `'*'` or both are required. */
export interface ProtectOptions<T = object> {
  /** The name of the object, for state, events and overrides. Objects of the same name share their state. */
  readonly name: string;
  /** Policies by method. Each of these methods has its own state, as `name.method`. */
  readonly methods?: PoliciesByMethod<T>;
  /** Policies of all other methods, which share their state as `name`. Default: none. */
  readonly '*'?: MethodPolicies;
  /** Paths of objects inside it whose methods `'*'` covers too: `['user', 'chat.completions']`. Default: none. */
  readonly members?: readonly string[];
}
