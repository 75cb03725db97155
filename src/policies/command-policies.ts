import type { PolicyOptions } from './canonical-order.js';
import type { CommandFallback } from './fallback/command-fallback.js';
import type { KeyOf } from './key.js';

/** Keeps a type parameter from being inferred from this use, like `NoInfer`; `& {}` alone would not. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- the one type that leaves `T` as it is
type Fixed<T> = T & ({} | null | undefined);

/** The answers that a fallback may give in place of `Result`: none, or the same; any, if the work only throws. */
export type Spareable<Result> = [Result] extends [never] ? unknown : Result | null | undefined;

/** Options of a policy, whose `key` takes the arguments of the work. */
type KeyedBy<Args extends readonly unknown[], Options> = 'key' extends keyof Options
  ? Omit<Options, 'key'> & {
      /** Which calls belong together: a function of the arguments of `run`. Default: all. */
      readonly key?: KeyOf<Args>;
    }
  : Options;

/** `KeyedBy` for each member of a union. */
type EachKeyedBy<Args extends readonly unknown[], Options> = Options extends unknown
  ? KeyedBy<Args, Options>
  : never;

/** The policies of a command whose work takes `Args`, by kind; its fallback gives `Spare`. */
export type CommandPolicies<Args extends readonly unknown[], Spare> = {
  readonly [K in Exclude<keyof PolicyOptions, 'fallback'>]?: EachKeyedBy<
    Fixed<Args>,
    PolicyOptions[K]
  >;
} & { readonly fallback?: CommandFallback<Fixed<Args>, Spare> };
