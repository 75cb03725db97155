import type { PolicyOptions } from './canonical-order.js';
import type { CommandFallback } from './fallback/command-fallback.js';

/** Keeps a type parameter from being inferred from this use, like `NoInfer`; `& {}` alone would not. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- the one type that leaves `T` as it is
type Fixed<T> = T & ({} | null | undefined);

/** The policies of a command whose work takes `Args`, by kind. */
export type CommandPolicies<Args extends readonly unknown[], Result> = {
  readonly [K in Exclude<keyof PolicyOptions, 'fallback'>]?: PolicyOptions[K];
} & { readonly fallback?: CommandFallback<Fixed<Args>, Result> };
