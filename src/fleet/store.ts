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
   * @returns all living instances, this one included
   */
  heartbeat(instance: InstanceInfo, ttlMs: number): Promise<readonly InstanceInfo[]>;

  /** An instance that ends says so; the others need not wait for its time to end. */
  leave(instanceId: string): Promise<void>;

  /** Changes of options for the whole fleet, by target; see `configure()`. `undefined` for no change so far. */
  settings(): Promise<FleetSettings | undefined>;

  /** Replaces the changes of options if nobody else has done so meanwhile. */
  changeSettings(expectedRevision: number, settings: string): Promise<FleetSettings>;

  /**
   * Listens to what other instances do. Messages may be lost or doubled; each may come late.
   *
   * @returns ends the subscription
   */
  subscribe(listener: (message: StoreMessage) => void): Promise<() => Promise<void>>;

  /** Ends what the store has opened itself. Takes no longer than a second, whatever the state of the server. */
  close(): Promise<void>;
}

/** The state of a shared circuit, as far as instances must agree on it. */
export type CircuitPhase = 'closed' | 'open' | 'half-open';

export interface CircuitView {
  readonly state: CircuitPhase;
  /** Grows by one with each transition and each override. */
  readonly epoch: number;
  /** Made anew when the store has lost the circuit: epochs of two incarnations cannot be compared. */
  readonly incarnation: string;
  /** Until the next probes are let through; 0 unless open. */
  readonly remainingMs: number;
  /** How often the circuit has opened since it was last closed; open times grow by it. */
  readonly openings: number;
  readonly override?: SharedOverride;
}

/** An operator's override, for the whole fleet. */
export interface SharedOverride {
  readonly state: 'forced-open' | 'forced-closed' | 'disabled' | 'observe-only';
  readonly by?: string;
  readonly reason?: string;
  /** Until it ends by itself; without it, it stays. */
  readonly remainingMs?: number;
}

export type CircuitStep =
  /** The circuit of an instance has opened by its own window. */
  | {
      readonly type: 'trip';
      /** The epoch that the instance knew; another one makes the step void. */
      readonly epoch: number;
      readonly incarnation: string;
      readonly instanceId: string;
      /** The open time that the instance would choose, by `openings` from 0; the last one stands for all above. */
      readonly openMs: readonly number[];
      /** The circuit opens for all once this many votes stand; without it the first one opens it. */
      readonly quorum?: QuorumRule;
    }
  /** An instance wants to let a probe through; opens a half-open phase if the open time is over. */
  | {
      readonly type: 'acquire';
      /** Unique among all instances. */
      readonly token: string;
      /** At most this many probes at a time in the whole fleet. */
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
  /** `undefined` takes the override back. */
  | { readonly type: 'override'; readonly override: SharedOverride | undefined }
  /** Closes the circuit and forgets its history, by an operator. */
  | { readonly type: 'reset' };

export interface QuorumRule {
  /** Votes of so many instances, or of this share of the living ones, whichever is more. */
  readonly minVotes: number;
  /** 0 to 1. */
  readonly share: number;
  /** A vote counts for this long. */
  readonly voteMs: number;
}

export interface CircuitReply {
  /** Whether the step has been made: the circuit opened, the lease granted, the probe counted. */
  readonly granted: boolean;
  readonly view: CircuitView;
  /** For a refused lease: when the next one may be free. */
  readonly retryAfterMs?: number;
}

export interface LimitRequest {
  /** Calls per `perMs`. */
  readonly limit: number;
  readonly perMs: number;
  /** Calls that may come at once. */
  readonly burst: number;
  readonly cost: number;
  /** A call that would have to wait longer is refused. */
  readonly maxWaitMs: number;
}

export interface LimitDecision {
  readonly allowed: boolean;
  /** The call must wait this long before it runs; 0 when refused. */
  readonly waitMs: number;
  /** Calls that would be allowed now without a wait. */
  readonly remaining: number;
  /** When a refused request may be repeated; `Infinity` if it can never be allowed, because its cost exceeds the burst. */
  readonly retryAfterMs: number;
  /** Until the limit is as good as new. */
  readonly resetMs: number;
}

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

export interface PlacesReply {
  readonly granted: boolean;
  readonly inUse: number;
  /** For a refused acquisition: when the earliest lease ends at the latest. */
  readonly retryAfterMs?: number;
  /** For a renewal: the tokens that are no longer held. */
  readonly lost?: readonly string[];
}

export interface InstanceInfo {
  /** Unique per process and start. */
  readonly id: string;
  readonly version?: string;
  readonly host?: string;
  /** Further facts for operators, such as sums of counts; a few hundred bytes of JSON at most. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface FleetSettings {
  readonly revision: number;
  /** JSON of patches by target, with by and reason. */
  readonly settings: string;
  /** Whether the change that was asked for has been made. */
  readonly changed: boolean;
}

export type StoreMessage =
  | { readonly type: 'circuit'; readonly name: string; readonly view: CircuitView }
  | { readonly type: 'settings'; readonly revision: number }
  /** A place has become free. */
  | { readonly type: 'place'; readonly name: string }
  /** The connection was lost and is there again: messages may have been lost. */
  | { readonly type: 'reconnected' };
