import { Turns } from '../common/turns.js';
import {
  type Breaker,
  type CircuitHealth,
  Harm,
  circuitHealthOf,
  harmOf,
} from './circuit-health.js';

/** The circuits of an application at one moment. */
export interface DependencyHealth {
  /** The number of breakers, those by key included. */
  readonly breakers: number;
  /** How many of them reject all calls: open, or forced open. */
  readonly open: number;
  /** How many of them admit only probes. */
  readonly halfOpen: number;
  /** The circuits that are open, half-open or overridden, the worst first; at most 20. */
  readonly circuits: readonly CircuitHealth[];
  /** How many such circuits `circuits` leaves out. */
  readonly more: number;
  /** The store of the fleet; not set for an application without one. */
  readonly store?: StoreHealth;
}

/** The store of a fleet. */
export interface StoreHealth {
  /** The kind of store, such as `redis`. */
  readonly kind: string;
  /** `degraded` when it does not answer, so that shared breakers and limits act as local ones. */
  readonly status: 'up' | 'degraded';
}

/** The part of a fleet that is used here; it may come from another copy of the package. */
export interface Fleet {
  readonly kind: string;
  readonly degraded: boolean;
}

/** The health of the store, as a part of that of the dependencies. */
export function storeHealthOf(fleet: Fleet | undefined): Pick<DependencyHealth, 'store'> {
  if (fleet === undefined) return {};
  const { kind, degraded } = fleet;
  return { store: { kind, status: degraded ? 'degraded' : 'up' } };
}

/** Breakers by name, as in `CircuitBreakerRegistry`. */
export interface Breakers {
  byName(): Iterable<{
    readonly name: string;
    readonly keyed: boolean;
    readonly size: number;
    readonly parts: () => readonly Breaker[];
  }>;
}

/** How many circuits are shown at most. */
const SHOWN = 20;

/** Reads all breakers, in turns, since there may be very many keys. */
export async function examine(
  breakers: Breakers,
): Promise<{ readonly harm: Harm; readonly health: DependencyHealth }> {
  const turns = new Turns();
  const found: { readonly harm: Harm; readonly circuit: CircuitHealth }[] = [];
  const all = { total: 0, open: 0, halfOpen: 0 };
  for (const { name, keyed, size, parts } of breakers.byName()) {
    const own = { total: size, open: 0, halfOpen: 0 };
    let harm = Harm.none;
    let worst: Breaker | undefined;
    for (const breaker of parts()) {
      if (turns.over) await turns.next();
      const found = harmOf(breaker);
      if (found >= Harm.rejecting) own.open += 1;
      else if (found >= Harm.waiting) own.halfOpen += 1;
      if (found > harm) [harm, worst] = [found, breaker];
    }
    all.total += own.total;
    all.open += own.open;
    all.halfOpen += own.halfOpen;
    if (worst === undefined) continue;
    found.push({ harm, circuit: { ...circuitHealthOf(name, worst), ...(keyed && { keys: own }) } });
  }
  found.sort((one, other) => other.harm - one.harm);
  const circuits = found.slice(0, SHOWN).map(({ circuit }) => circuit);
  return {
    harm: found[0]?.harm ?? Harm.none,
    health: {
      breakers: all.total,
      open: all.open,
      halfOpen: all.halfOpen,
      circuits,
      more: found.length - circuits.length,
    },
  };
}
