import type { StateChangeReason } from '../telemetry/events.js';
import type { Figures } from './figures.js';
import type { GuardedStore } from './guarded-store.js';
import type { CircuitPhase, CircuitView, QuorumRule, SharedOverride } from './store.js';

/** A circuit of this instance that takes part in the decisions of the fleet, as the fleet sees it. */
export interface CircuitMember {
  readonly name: string;
  /** The state by its own rules, with all changes that are due. */
  readonly state: CircuitPhase;
  /** The recent outcomes of its calls, for operators. */
  readonly figures: Figures;
  /** The votes that open it for all; `undefined` when the first one does. */
  readonly quorum: QuorumRule | undefined;
  /** Takes over a state that the fleet has agreed on. */
  adopt(
    state: CircuitPhase,
    view: Pick<CircuitView, 'remainingMs' | 'openings'>,
    reason: StateChangeReason,
  ): void;
  /** Takes over an operator's decision for the fleet; `undefined`: none. */
  adoptOverride(override: SharedOverride | undefined): void;
}

/** An operator's override with its end on the clock of this instance; `Infinity` when it stays. */
export interface TimedOverride extends Omit<SharedOverride, 'remainingMs'> {
  readonly endsAt: number;
}

/** The limits of a half-open circuit. */
export interface ProbeLimits {
  /** Probes that may run at a time in the whole fleet. */
  readonly probes: number;
  /** Successes that close the circuit. */
  readonly successes: number;
  /** How long a probe may take, milliseconds. */
  readonly maxDuration: number;
}

/** The answer to a question for a probe: its lease, or a refusal, or that the circuit decides alone. */
export type ProbeRight =
  | { readonly type: 'leased'; readonly token: string }
  | { readonly type: 'refused' }
  | { readonly type: 'alone' };

/** The fleet, as one of its circuits sees it. No method throws, rejects, or takes longer than its time budget. */
export interface SharedCircuit {
  /** Whether probes need a lease: neither while the store is away, nor while the circuit is open by its own decision alone. */
  readonly decides: boolean;
  /** Whether the store is away, so that the fleet hears of changes only later. */
  readonly away: boolean;
  /** How long it is of no use to ask for a probe, milliseconds. */
  wait(now: number): number;
  /** Asks for a probe. */
  acquire(limits: ProbeLimits): Promise<ProbeRight>;
  /** A lease that no call has used yet. */
  take(): string | undefined;
  /** Keeps a lease for the next call, for a short time. */
  keep(token: string): void;
  /** Gives a lease back: its probe has no verdict. */
  giveBack(token: string): void;
  /**
   * A probe has ended. @param openMs open times by openings, as of {@link opened}
   * @returns false when the store has not heard of it: the circuit then decides alone
   */
  settle(
    token: string,
    outcome: 'success' | 'failure',
    successes: number,
    openMs: readonly number[],
  ): Promise<boolean>;
  /**
   * The circuit has opened by its own rules.
   *
   * @param openMs the open time, milliseconds, by how often the circuit has opened before; the last one applies from then on
   * @param byProbe whether the cause is a failed probe without a lease
   */
  opened(openMs: readonly number[], byProbe: boolean): void;
  /** An operator has overridden the circuit, or cleared the override. */
  overridden(override: TimedOverride | undefined): void;
  /** An operator has closed the circuit. */
  reset(): void;
  /** The circuit is discarded. */
  leave(): void;
}

/** Where circuits join the fleet, and where limits and semaphores ask the store. */
export interface FleetSite {
  readonly store: GuardedStore;
  join(member: CircuitMember): SharedCircuit;
}
