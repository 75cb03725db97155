/**
 * Where the instances of a fleet meet: the state of shared circuits, limits and places, and who is alive.
 *
 * Each method is one atomic step. A store keeps no state of its own beside what it shares: it may be asked by any
 * instance at any time. Times are those of the store alone; what crosses the border is a duration that remains, in
 * milliseconds, never a time of day. A step that cannot be made rejects; the library calls each one with a time budget
 * and behind a breaker of its own, so a store need neither retry nor queue.
 *
 * `storeContract()` of `nest-resilience/testing` is the suite that every store must pass.
 */
export interface ResilienceStore {
  /** For messages, health and metrics, such as `redis`. */
  readonly kind: string;

  /** Makes one step of a shared circuit. */
  circuit(name: string, step: CircuitStep): Promise<CircuitReply>;

  /** The circuits as they are, in one round trip; `undefined` for those that the store does not know. */
  circuits(names: readonly string[]): Promise<readonly (CircuitView | undefined)[]>;

  /** Asks a rate limit for `cost` calls. A refused request consumes nothing. */
  limit(name: string, request: LimitRequest): Promise<LimitDecision>;

  /** Makes one step of a semaphore. */
  places(name: string, step: PlacesStep): Promise<PlacesReply>;

  /**
   * Tells that an instance is alive.
   *
   * @param ttlMs how long it counts as alive without another heartbeat
   * @returns how many instances are alive, this one included
   */
  heartbeat(instance: InstanceInfo, ttlMs: number): Promise<number>;

  /** All living instances, for operators; the library asks for them only while somebody looks. */
  instances(): Promise<readonly LivingInstance[]>;

  /** An instance that ends says so; the others need not wait for its time to end. */
  leave(instanceId: string): Promise<void>;

  /** Changes of options for the whole fleet, by target; see `configure()`. `undefined` for no change so far. */
  settings(): Promise<FleetSettings | undefined>;

  /**
   * Replaces the changes of options if nobody else has done so meanwhile. A store that has lost them starts again from
   * revision 1, so revisions are compared for equality only.
   *
   * @param expectedRevision 0 for no change so far
   */
  changeSettings(expectedRevision: number, settings: string): Promise<FleetSettings>;

  /**
   * Listens to what instances do; messages of one's own steps may come too. Messages may be lost or doubled; each may
   * come late. While the server is away the subscription waits for it, and says `reconnected` when it listens again, if its
   * client tells it: those for clusters and Sentinels listen again by themselves, without a word.
   *
   * @returns ends the subscription
   * @throws when the server refuses it; it is asked again later
   */
  subscribe(listener: (message: StoreMessage) => void): Promise<() => Promise<void>>;

  /** Ends what the store has opened itself. Takes no longer than a second, whatever the state of the server. */
  close(): Promise<void>;
}

/** A state of a shared circuit. */
export type CircuitPhase = 'closed' | 'open' | 'half-open';

/** The state of a shared circuit, as far as instances must agree on it; closed at epoch 0 if the store does not know it. */
export interface CircuitView {
  /** As it is without the override. An open circuit stays open when its time is over, until a probe is asked for. */
  readonly state: CircuitPhase;
  /** Grows by one with each transition and each override. */
  readonly epoch: number;
  /** Made anew when the store has lost the circuit: epochs of two incarnations cannot be compared. Empty if unknown. */
  readonly incarnation: string;
  /** Until the next probes are let through; 0 unless open. */
  readonly remainingMs: number;
  /** How often the circuit has opened since it was last closed; open times grow by it. */
  readonly openings: number;
  /** The decision of an operator; it comes before the state. */
  readonly override?: SharedOverride;
  /**
   * There is no override because an operator has taken it back, or has said so of a circuit that had none: nothing is to be
   * restored. Absent otherwise. Kept as long as the circuit, until the next override.
   */
  readonly cleared?: true;
}

/** An operator's override, for the whole fleet. */
export interface SharedOverride {
  /** The state that calls meet instead. */
  readonly state: 'forced-open' | 'forced-closed' | 'disabled' | 'observe-only';
  /** Who has decided it. */
  readonly by?: string;
  /** Why. */
  readonly reason?: string;
  /** Until it ends by itself; without it, it stays. */
  readonly remainingMs?: number;
}

/** A step of an instance with a shared circuit. */
export type CircuitStep =
  /** The circuit of an instance has opened by its own window. */
  | {
      readonly type: 'trip';
      /**
       * The epoch and the incarnation that the instance knew; others make the step void. A circuit that the store does
       * not know, or no longer, is opened whatever the instance knew.
       */
      readonly epoch: number;
      /** Empty for a circuit that the instance knows nothing about. */
      readonly incarnation: string;
      readonly instanceId: string;
      /** The open time that the instance would choose, by `openings` from 0; the last one stands for all above. */
      readonly openMs: readonly number[];
      /** The circuit opens for all once this many votes stand; without it the first one opens it. */
      readonly quorum?: QuorumRule;
    }
  /**
   * An instance wants to let a probe through; starts a half-open phase if the open time is over. A closed circuit needs
   * no probes: the step is granted without a lease.
   */
  | {
      readonly type: 'acquire';
      /** Unique among all instances. */
      readonly token: string;
      /** At most this many probes at a time in the whole fleet; fewer when fewer successes are left to close the circuit. */
      readonly probes: number;
      /** Successes that close the circuit. */
      readonly successes: number;
      readonly leaseMs: number;
    }
  /** A probe has ended. A token without a lease (late, superseded) has no effect. */
  | {
      readonly type: 'settle';
      readonly token: string;
      readonly outcome: 'success' | 'failure' | 'void';
      readonly successes: number;
      /** Failures that are tolerated before the circuit opens again. */
      readonly failures: number;
      readonly openMs: readonly number[];
    }
  /** `undefined` takes the override back. The state below it goes on by itself. */
  | {
      readonly type: 'override';
      readonly override: SharedOverride | undefined;
      readonly restores?: undefined;
    }
  /** The override is one that the store has lost: the step is void if an override is in force, or has been cleared since. */
  | { readonly type: 'override'; readonly override: SharedOverride; readonly restores: true }
  /** Closes the circuit and forgets its history, by an operator; an override stays. */
  | { readonly type: 'reset' };

/** How many instances must agree before a circuit opens for all. */
export interface QuorumRule {
  /** Votes of so many instances, or of this share of the living ones, whichever is more. */
  readonly minVotes: number;
  /** 0 to 1. */
  readonly share: number;
  /** A vote counts for this long. */
  readonly voteMs: number;
}

/** The result of a step, and the circuit after it. */
export interface CircuitReply {
  /** Whether the step has been made: the circuit opened, the lease granted, the probe counted. */
  readonly granted: boolean;
  /** After the step. */
  readonly view: CircuitView;
  /** For a refused lease: when the next one may be free, at the latest. */
  readonly retryAfterMs?: number;
}

/** Asks for `cost` calls of a limit. Another rate than that of the last request keeps what is counted, as far as it fits. */
export interface LimitRequest {
  /** Calls per `perMs`. */
  readonly limit: number;
  /** The period of the limit, milliseconds. */
  readonly perMs: number;
  /** Calls that may come at once. */
  readonly burst: number;
  /** As how many calls it counts; 0 asks how it stands. */
  readonly cost: number;
  /** A call that would have to wait longer is refused, milliseconds. */
  readonly maxWaitMs: number;
}

/** Whether calls may go, and when. Durations in milliseconds. */
export interface LimitDecision {
  /** Whether it may go, if need be after {@link waitMs}. */
  readonly allowed: boolean;
  /** The call must wait this long before it runs; 0 when refused. */
  readonly waitMs: number;
  /** Calls that would be allowed now without a wait. */
  readonly remaining: number;
  /** When a refused request may be repeated; `Infinity` if it can never be allowed, because its cost exceeds the burst. */
  readonly retryAfterMs: number;
  /** Until the limit is as good as new. */
  readonly resetMs: number;
  /** Whether what is counted came with another rate; absent if not. */
  readonly otherRate?: true;
}

/** A step of an instance with a semaphore. */
export type PlacesStep =
  | {
      readonly type: 'acquire';
      readonly token: string;
      readonly instanceId: string;
      readonly limit: number;
      readonly leaseMs: number;
    }
  /** Prolongs the leases of one instance; tokens whose lease has ended are in the reply. */
  | { readonly type: 'renew'; readonly tokens: readonly string[]; readonly leaseMs: number }
  | { readonly type: 'release'; readonly token: string };

/** The result of a step, and the semaphore after it. */
export interface PlacesReply {
  /** Whether the place is held, was held until now, or all leases have been prolonged. */
  readonly granted: boolean;
  /** Places that are held by all instances together. */
  readonly inUse: number;
  /** For a refused acquisition: when the earliest lease ends at the latest. */
  readonly retryAfterMs?: number;
  /** For a renewal: the tokens that are no longer held. */
  readonly lost?: readonly string[];
}

/** A process that shares the store. */
export interface InstanceInfo {
  /** Unique per process and start. */
  readonly id: string;
  /** Of the application. */
  readonly version?: string;
  /** Where it runs. */
  readonly host?: string;
  /** How long it had been running when it told this, milliseconds. */
  readonly ageMs?: number;
  /** Further facts for operators, such as sums of counts; a few hundred bytes of JSON at most. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** An instance that is alive, with what it told last. */
export interface LivingInstance extends InstanceInfo {
  /** How long ago it told that, by the time of the store, milliseconds. */
  readonly silentMs: number;
}

/** The changes of options for the whole fleet. */
export interface FleetSettings {
  /** Grows by one with each change. */
  readonly revision: number;
  /** A text of the library, at most 20,000 bytes; `{}` for none. */
  readonly settings: string;
  /** How long ago they were changed, by the time of the store, milliseconds; 0 for no change so far. */
  readonly ageMs: number;
  /** Whether the change that was asked for has been made. */
  readonly changed: boolean;
}

/** A message to subscribers. */
export type StoreMessage =
  | { readonly type: 'circuit'; readonly name: string; readonly view: CircuitView }
  | { readonly type: 'settings'; readonly revision: number }
  /** A place has become free, of which somebody was refused one lately. */
  | { readonly type: 'place'; readonly name: string }
  /** The connection was lost and is there again: messages may have been lost. */
  | { readonly type: 'reconnected' };
