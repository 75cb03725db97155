/** A service that booksvc asks. */
export interface Upstream {
  readonly service: string;
  /** What clients miss when it fails: `The books`. */
  readonly goods: string;
}

/** Injection token of the {@link Upstream} that a module asks. */
export const UPSTREAM = Symbol('UPSTREAM');
