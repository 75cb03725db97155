import type { Clock } from '../common/clock.js';
import type { FleetChange, SharedPatch } from './fleet-change.js';
import type { StoreGuard } from './store-guard.js';
import type { FleetSettings, ResilienceStore } from './store.js';

/** Carries out the changes in the plans of this application. */
export interface ChangesAdopter {
  /** Carries out the changes in force, as far as they are valid here. */
  adopt(changes: readonly FleetChange[]): void;
  /** Whether a change is in force here. */
  has(change: FleetChange): boolean;
  /** A patch as operators may see it. */
  told(patch: SharedPatch | null): SharedPatch | null;
}

/** A step of the store that concerns its document of changes. */
export type Step = (store: ResilienceStore) => Promise<Answer>;

/** The answer of a {@link Step}. */
export interface Answer {
  readonly stored: FleetSettings | undefined;
}

/** The dependencies of the exchange of changes with the store. */
export interface ChangesHost {
  readonly clock: Clock;
  readonly guard: StoreGuard;
  readonly backgroundTimeout: number;
  /** How long a document that was read counts as fresh, milliseconds. */
  readonly freshFor: number;
  /** The store has to be asked again soon. */
  hurry(): void;
  log(message: string): void;
}
