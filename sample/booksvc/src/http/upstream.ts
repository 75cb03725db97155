import type { BooksvcConfig } from '../config.js';

/** A service that booksvc calls. */
export interface Upstream {
  readonly service: string;
  /** For the error message when it fails: `The books`. */
  readonly goods: string;
  readonly url: (config: BooksvcConfig) => string;
}

/** Injection token of the {@link Upstream} that a module calls. */
export const UPSTREAM = Symbol('UPSTREAM');
