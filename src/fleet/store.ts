/**
 * The state that the instances of a fleet share: circuits, limits and places, and which instances are alive.
 *
 * Each method is one atomic step. A store keeps no state besides the shared one: any instance may
 * ask it at any time. Only the store's clock counts; requests and replies contain remaining durations, in
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

  /** The current circuits, in one round trip; `undefined` for those that the store does not know. */
  circuits(names: readonly string[]): Promise<readonly (CircuitView | undefined)[]>;

  /** Asks a rate limit for `cost` calls. A refused request consumes nothing. */
  limit(name: string, request: LimitRequest): Promise<LimitDecision>;

  /** Makes one step of a semaphore. */
  places(name: string, step: PlacesStep): Promise<PlacesReply>;

  /**
   * Reports that an instance is alive.
   *
   * @param ttlMs how long it counts as alive without another heartbeat
   * @returns how many instances are alive, this one included
   */
  heartbeat(instance: InstanceInfo, ttlMs: number): Promise<number>;

  /** All living instances, for operators; the library asks for them only while there are readers. */
  instances(): Promise<readonly LivingInstance[]>;

  /** An instance reports its end; the others need not wait for its time to run out. */
  leave(instanceId: string): Promise<void>;

  /** Changes of options for the whole fleet, by target; see `configure()`. `undefined` for no change so far. */
  settings(): Promise<FleetSettings | undefined>;

  /**
   * Replaces the changes of options if no other instance has done so meanwhile. A store that has lost them starts again from
   * revision 1, so revisions are compared for equality only.
   *
   * @param expectedRevision 0 for no change so far
   */
  changeSettings(expectedRevision: number, settings: string): Promise<FleetSettings>;

  /**
   * Subscribes to the steps of instances; messages about one's own steps may come too. Messages may be lost, doubled or
   * late. While the server is away the subscription waits for it, and sends `reconnected` when it listens again, if its
   * client reports that: those for clusters and Sentinels listen again by themselves, silently.
   *
   * @returns ends the subscription
   * @throws when the server refuses it; it is asked again later
   */
  subscribe(listener: (message: StoreMessage) => void): Promise<() => Promise<void>>;

  /** Closes the connections that the store has opened itself. Takes at most a second, whatever the state of the server. */
  close(): Promise<void>;
}

/** A state of a shared circuit. */
export type CircuitPhase = 'closed' | 'open' | 'half-open';

/** The state of a shared circuit, as far as instances must agree on it; closed at epoch 0 if the store does not know it. */
export interface CircuitView {
  /** The state without the override. An open circuit stays open when its time is over, until a probe is asked for. */
  readonly state: CircuitPhase;
  /** Grows by one with each transition and each override. */
  readonly epoch: number;
  /** New when the store has lost the circuit: epochs of two incarnations cannot be compared. Empty if unknown. */
  readonly incarnation: string;
  /** Until the next probes are let through; 0 unless open. */
  readonly remainingMs: number;
  /** How often the circuit has opened since it was last closed; open times grow by it. */
  readonly openings: number;
  /** The decision of an operator; it takes precedence over the state. */
  readonly override?: SharedOverride;
  /**
   * True when an operator has cleared the override, even if there was none: nothing is to be
   * restored. Absent otherwise. Kept as long as the circuit, until the next override.
   */
  readonly cleared?: true;
}

/** An operator's override, for the whole fleet. */
export interface SharedOverride {
  /** The state that applies to calls instead. */
  readonly state: 'forced-open' | 'forced-closed' | 'disabled' | 'observe-only';
  /** Who made the decision. */
  readonly by?: string;
  /** Why. */
  readonly reason?: string;
  /** Until it ends by itself; without it, it stays. */
  readonly remainingMs?: number;
}

/** A step of an instance on a shared circuit. */
export type CircuitStep =
  /** The circuit of an instance has opened by its own window. */
  | {
      readonly type: 'trip';
      /**
       * The epoch and the incarnation that the instance knew; if they differ, the step is void. A circuit that the store does
       * not know, or no longer knows, is opened whatever the instance knew.
       */
      readonly epoch: number;
      /** Empty for a circuit that the instance knows nothing about. */
      readonly incarnation: string;
      readonly instanceId: string;
      /** The open time that the instance would choose, by `openings` from 0; the last one applies from then on. */
      readonly openMs: readonly number[];
      /** The circuit opens for all once there are this many votes; without it, the first one opens it. */
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
  /** `undefined` clears the override. The state below it continues by itself. */
  | {
      readonly type: 'override';
      readonly override: SharedOverride | undefined;
      readonly restores?: undefined;
    }
  /** Restores an override that the store has lost: void if an override is in force, or has been cleared since. */
  | { readonly type: 'override'; readonly override: SharedOverride; readonly restores: true }
  /** Closes the circuit and forgets its history, by an operator; an override stays. */
  | { readonly type: 'reset' };

/** How many instances must agree before a circuit opens for all. */
export interface QuorumRule {
  /** The votes of this many instances, or of this share of the living ones, whichever is more. */
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
  /** For a refused lease: the latest time at which the next one may be free. */
  readonly retryAfterMs?: number;
}

/** Asks for `cost` calls of a limit. If the rate differs from the last request's, the count is kept as far as it fits. */
export interface LimitRequest {
  /** Calls per `perMs`. */
  readonly limit: number;
  /** The period of the limit, milliseconds. */
  readonly perMs: number;
  /** Calls that may come at once. */
  readonly burst: number;
  /** The number of calls that it counts as; 0 only reads the state. */
  readonly cost: number;
  /** A call that would have to wait longer is refused, milliseconds. */
  readonly maxWaitMs: number;
}

/** Whether calls may run, and when. Durations in milliseconds. */
export interface LimitDecision {
  /** Whether it may run, if need be after {@link waitMs}. */
  readonly allowed: boolean;
  /** The call must wait this long before it runs; 0 when refused. */
  readonly waitMs: number;
  /** Calls that would be allowed now without a wait. */
  readonly remaining: number;
  /** When a refused request may be repeated; `Infinity` if it can never be allowed, because its cost exceeds the burst. */
  readonly retryAfterMs: number;
  /** Until the whole burst is available again. */
  readonly resetMs: number;
  /** Whether the count comes from another rate; absent if not. */
  readonly otherRate?: true;
}

/** A step of an instance on a semaphore. */
export type PlacesStep =
  | {
      readonly type: 'acquire';
      readonly token: string;
      readonly instanceId: string;
      readonly limit: number;
      readonly leaseMs: number;
    }
  /** Renews the leases of one instance; tokens whose lease has ended are in the reply. */
  | { readonly type: 'renew'; readonly tokens: readonly string[]; readonly leaseMs: number }
  | { readonly type: 'release'; readonly token: string };

/** The result of a step, and the semaphore after it. */
export interface PlacesReply {
  /** Whether the place is held, was held until now, or all leases have been renewed. */
  readonly granted: boolean;
  /** Places that are held by all instances together. */
  readonly inUse: number;
  /** For a refused acquisition: the latest time at which the earliest lease ends. */
  readonly retryAfterMs?: number;
  /** For a renewal: the tokens that are no longer held. */
  readonly lost?: readonly string[];
}

/** A process that shares the store. */
export interface InstanceInfo {
  /** Unique per process and start. */
  readonly id: string;
  /** The version of the application. */
  readonly version?: string;
  /** Where it runs. */
  readonly host?: string;
  /** How long it had been running when it reported this, milliseconds. */
  readonly ageMs?: number;
  /** Further facts for operators, such as sums of counts; a few hundred bytes of JSON at most. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** A living instance, with its last report. */
export interface LivingInstance extends InstanceInfo {
  /** The age of that report, by the clock of the store, milliseconds. */
  readonly silentMs: number;
}

/** The changes of options for the whole fleet. */
export interface FleetSettings {
  /** Grows by one with each change. */
  readonly revision: number;
  /** A text made by the library, at most 20,000 bytes; `{}` for none. */
  readonly settings: string;
  /** How long ago they were changed, by the clock of the store, milliseconds; 0 for no change so far. */
  readonly ageMs: number;
  /** Whether the requested change has been made. */
  readonly changed: boolean;
}

/** A message to subscribers. */
export type StoreMessage =
  | { readonly type: 'circuit'; readonly name: string; readonly view: CircuitView }
  | { readonly type: 'settings'; readonly revision: number }
  /** A place has become free in a semaphore that has refused one recently. */
  | { readonly type: 'place'; readonly name: string }
  /** The connection was lost and is back: messages may have been lost. */
  | { readonly type: 'reconnected' };
