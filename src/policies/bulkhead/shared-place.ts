import type { Timer } from '../../common/clock.js';
import type { Place } from './bulkhead.js';
import type { BulkheadFullError, BulkheadFullReason } from './bulkhead-full-error.js';

/** The state of a call that has asked for a place of all instances. */
export class SharedPlace {
  /** @internal */
  previous: SharedPlace | undefined = undefined;
  /** @internal */
  next: SharedPlace | undefined = undefined;
  /** @internal `gone`: has given its place back, or has left without one. */
  state: 'asking' | 'waiting' | 'held' | 'gone' = 'asking';
  /** @internal A place by this instance's share, while the store is away. */
  local: Place | undefined = undefined;
  /** @internal Ends its wait at the latest. */
  deadline: Timer | undefined = undefined;
  /** @internal Why it gets no place; the error, if it exists already. */
  refused: BulkheadFullReason | BulkheadFullError | undefined = undefined;
  /** @internal Ends its wait. @param placed whether it has a place */
  wake: (placed: boolean) => void = () => {};
  /** Resolves when it has a place; rejects when it will get none. */
  ready!: Promise<void>;

  /** @internal */
  constructor(
    readonly token: string,
    /** When it asked; once it has a place, when it got it. */
    public since: number,
  ) {}

  /** @internal */
  begin(ready: Promise<void>): void {
    this.ready = ready;
  }
}
