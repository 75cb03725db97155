import { type BreakerFigures, type Figures, readFigures } from './figures.js';
import type { SharedPatch } from './fleet-change.js';
import type { LivingInstance } from './store.js';

/** An instance of the fleet, for operators. */
export interface FleetInstance {
  readonly id: string;
  /** The version of the application. */
  readonly version: string | undefined;
  /** Where it runs. */
  readonly host: string | undefined;
  /** How long it has been running, milliseconds; `undefined` if it has not reported it. */
  readonly ageMs: number | undefined;
  /** The age of this report, milliseconds; 0 for the instance that is asked. */
  readonly silentMs: number;
  /** Whether it is the instance that is asked. */
  readonly self: boolean;
  /** Its shared breakers, those with the most trouble and the most calls first. */
  readonly breakers: readonly BreakerFigures[];
  /** How many more shared breakers it has, which are not among {@link breakers}. */
  readonly more: number;
  /** How many of all its shared breakers are open or half-open. */
  readonly open: number;
}

/** A shared breaker, summed over the living instances. */
export interface BreakerSums extends Figures {
  readonly name: string;
  /** How many instances have reported it. */
  readonly instances: number;
  /** On how many of them its circuit is open or half-open. */
  readonly open: number;
}

/** A change of options for the whole fleet, for operators. */
export interface FleetChangeView {
  /** Unique to this change. */
  readonly id: string;
  readonly target: string;
  /** Options by policy. */
  readonly patch: SharedPatch | null;
  /** Who has made it. */
  readonly by: string | undefined;
  /** Why. */
  readonly reason: string | undefined;
  /** Until it ends by itself, milliseconds; `undefined` if it stays. */
  readonly remainingMs: number | undefined;
  /** Whether it is in force on the instance that is asked: it may not have the target, or refuse the options. */
  readonly inForce: boolean;
  /** Whether it was made on the instance that is asked, and the others have not heard of it yet. */
  readonly pending: boolean;
}

/** The fleet at one moment, as far as one of its instances knows. */
export interface FleetSnapshot {
  /** The kind of store, such as `redis`. */
  readonly kind: string;
  /** Whether the store is away; the instances are then those of the last reading. */
  readonly degraded: boolean;
  /** For how long it has been away, milliseconds; `undefined` unless it is. */
  readonly degradedForMs: number | undefined;
  /** The instance that is asked. */
  readonly instanceId: string;
  /** The living instances, the oldest first. */
  readonly instances: readonly FleetInstance[];
  /** Their shared breakers, those with the most trouble and the most calls first. */
  readonly sums: readonly BreakerSums[];
  /** How far the counts look back, milliseconds. They come with heartbeats, so they may be older by their interval. */
  readonly windowMs: number;
  /** Whether an instance has more breakers than it reports, so that sums may be too low. */
  readonly partial: boolean;
  /** The changes of options for all instances, the oldest first. */
  readonly changes: readonly FleetChangeView[];
}

/** @param elapsedMs since the instance was read, milliseconds */
export function instanceOf(told: LivingInstance, elapsedMs: number): FleetInstance {
  const silentMs = Math.round(told.silentMs + elapsedMs);
  const { id, version, host, ageMs, facts } = told;
  return {
    id,
    version,
    host,
    ageMs: ageMs === undefined ? undefined : ageMs + silentMs,
    silentMs,
    self: false,
    ...readFigures(facts),
  };
}

export function oldestFirst(instances: readonly FleetInstance[]): FleetInstance[] {
  const age = ({ ageMs = Infinity }: FleetInstance): number => ageMs;
  return [...instances].sort((one, other) => age(other) - age(one) || (one.id < other.id ? -1 : 1));
}

export function sumsOf(instances: readonly FleetInstance[]): BreakerSums[] {
  const sums = new Map<string, BreakerSums>();
  for (const { breakers } of instances) {
    for (const { name, state, calls, failures, rejections } of breakers) {
      const sum = sums.get(name);
      sums.set(name, {
        name,
        instances: (sum?.instances ?? 0) + 1,
        open: (sum?.open ?? 0) + (state === 'closed' ? 0 : 1),
        calls: (sum?.calls ?? 0) + calls,
        failures: (sum?.failures ?? 0) + failures,
        rejections: (sum?.rejections ?? 0) + rejections,
      });
    }
  }
  return [...sums.values()].sort(
    (one, other) =>
      other.open - one.open ||
      other.calls + other.rejections - (one.calls + one.rejections) ||
      (one.name < other.name ? -1 : 1),
  );
}
