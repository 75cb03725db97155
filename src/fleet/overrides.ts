import { show } from '../common/printable.js';
import type { TimedOverride } from './shared-circuit.js';
import type { CircuitView, SharedOverride } from './store.js';

/** An override in the store's form; `undefined` when there is none, or when it has expired. */
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

/** Typed as text, but it comes from outside. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : show(value);
}

/** Whether two views have the same decision of an operator, whatever its remaining time. */
export function isSameDecision(one: CircuitView | undefined, other: CircuitView): boolean {
  const [a, b] = [one?.override, other.override];
  const same = a?.state === b?.state && a?.by === b?.by && a?.reason === b?.reason;
  return same && one?.cleared === other.cleared;
}

/** The override of the fleet, as an instance remembers it in case the store loses it with everything else. */
export class HeldOverride {
  private held: (TimedOverride & { readonly incarnation: string }) | undefined = undefined;

  keep({ override, incarnation }: CircuitView, now: number): void {
    const { remainingMs = Infinity } = override ?? {};
    this.held = override && { ...override, endsAt: now + remainingMs, incarnation };
  }

  forget(): void {
    this.held = undefined;
  }

  /** The override of a circuit that the store has forgotten or started over; not one that was cleared since. */
  lostIn(view: CircuitView | undefined, now: number): TimedOverride | undefined {
    const { held } = this;
    if (held === undefined || held.endsAt <= now) return undefined;
    if (view === undefined) return held;
    const decided = view.override !== undefined || view.cleared === true;
    return decided || view.incarnation === held.incarnation ? undefined : held;
  }
}
