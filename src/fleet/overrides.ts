import { show } from '../common/printable.js';
import type { TimedOverride } from './shared-circuit.js';
import type { CircuitView, SharedOverride } from './store.js';

/** An override as the store takes it; `undefined` when there is none, or when its time is over. */
export function sharedOf(
  override: TimedOverride | undefined,
  now: number,
): SharedOverride | undefined {
  if (override === undefined || override.endsAt <= now) return undefined;
  const { state, by, reason, endsAt } = override;
  return {
    state,
    ...(by !== undefined && { by: text(by) }),
    ...(reason !== undefined && { reason: text(reason) }),
    ...(endsAt !== Infinity && { remainingMs: endsAt - now }),
  };
}

/** Typed as text, but from outside. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : show(value);
}

/** Whether two overrides are the same decision, whatever is left of their time. */
export function isSameOverride(
  one: SharedOverride | undefined,
  other: SharedOverride | undefined,
): boolean {
  return one?.state === other?.state && one?.by === other?.by && one?.reason === other?.reason;
}

/** The override of the fleet, as an instance remembers it in case that the store loses it together with all else. */
export class HeldOverride {
  private held: (TimedOverride & { readonly incarnation: string }) | undefined = undefined;

  keep({ override, incarnation }: CircuitView, now: number): void {
    const { remainingMs = Infinity } = override ?? {};
    this.held = override && { ...override, endsAt: now + remainingMs, incarnation };
  }

  forget(): void {
    this.held = undefined;
  }

  /** The override that a circuit has lost which the store no longer knows, or has begun anew. */
  lostIn(view: CircuitView | undefined, now: number): TimedOverride | undefined {
    const { held } = this;
    if (held === undefined || held.endsAt <= now) return undefined;
    if (view?.override !== undefined || view?.incarnation === held.incarnation) return undefined;
    return held;
  }
}
