import type { Bulkhead, Place } from './bulkhead.js';
import type { SharedBulkhead } from './shared-bulkhead.js';
import type { SharedPlace } from './shared-place.js';

/** A bulkhead of this process, or of all instances of the application. */
export type AnyBulkhead = Bulkhead | SharedBulkhead;

/** A place in one of them. */
export type AnyPlace = Place | SharedPlace;

/** The common interface of both, for calls. */
export interface Places {
  readonly reentrant: boolean;
  /** @throws {BulkheadFullError} when neither a place nor an entry in the queue is free */
  take(now: number): AnyPlace;
  giveBack(place: AnyPlace, now: number): void;
}
