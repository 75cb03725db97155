import type { AdminValue } from './parts.js';

/** The instances that share a store, as known to the one that answers. */
export interface AdminFleet {
  /** The kind of store, such as `redis`. */
  readonly kind: string;
  /** Since when the store has been away; left out while it answers. The instances are then those of the last reading. */
  readonly degradedSince?: number;
  /** The living instances: the one that answers first, then the oldest; at most 100. */
  readonly instances: readonly AdminInstance[];
  /** How many more there are. */
  readonly moreInstances: number;
  /** The running versions of the application, the most common first; at most 100. */
  readonly versions: readonly AdminVersion[];
  /** The shared breakers, summed over the instances: those with the most trouble and the most calls first; at most 100. */
  readonly breakers: readonly AdminFleetBreaker[];
  /** Whether there are more of them, or instances that do not report all their breakers, so that sums may be too low. */
  readonly partial: boolean;
  /** How far the sums look back. */
  readonly windowMs: number;
  /** The changes of options for all instances that are in force, the oldest first; at most 100. */
  readonly changes: readonly AdminFleetChange[];
}

/** An instance of the fleet. */
export interface AdminInstance {
  /** Unique per process and start. */
  readonly id: string;
  /** Whether it is the one that answers. */
  readonly self: boolean;
  /** The version of the application; left out if the instance has not reported it. */
  readonly version?: string;
  /** Where it runs; left out if it has not reported it. */
  readonly host?: string;
  /** When it started; left out if it has not reported it. */
  readonly startedAt?: number;
  /** How many of its shared circuits are not closed. */
  readonly open: number;
}

/** A running version of the application. */
export interface AdminVersion {
  /** Left out for instances that have not reported it. */
  readonly version?: string;
  /** How many instances have it. */
  readonly instances: number;
}

/** A shared breaker, summed over the living instances. */
export interface AdminFleetBreaker {
  /** The name in the registry and in the store. */
  readonly name: string;
  /** How many instances have reported it. */
  readonly instances: number;
  /** On how many of them its circuit is not closed. */
  readonly open: number;
  /** The ids of these instances; at most 5. */
  readonly openOn: readonly string[];
  /** Calls that were admitted and have ended. */
  readonly calls: number;
  /** Those of them that have failed or run out of time. */
  readonly failures: number;
  /** Calls that the circuit has rejected. */
  readonly rejections: number;
}

/** A change of options for all instances. */
export interface AdminFleetChange {
  /** Unique to this change. */
  readonly id: string;
  /** The name of the method, class, command, pipeline, breaker, bulkhead or rate limit that is changed. */
  readonly target: string;
  /** The options by policy, as far as the instance that answers knows them; `null` reverts earlier changes of the policy. */
  readonly patch: AdminValue;
  /** Who has made it; left out if not given. */
  readonly by?: string;
  /** Why; left out if not given. */
  readonly reason?: string;
  /** When it ends by itself; left out if it stays. */
  readonly until?: number;
  /** Whether it is in force on the instance that answers: it may not have the target, or refuse the options. */
  readonly inForce: boolean;
  /** Whether it was made on the instance that answers, and the others have not heard of it yet. */
  readonly pending: boolean;
}
