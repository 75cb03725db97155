import type { TimedOverride } from './shared-circuit.js';
import type { SharedOverride } from './store.js';

/** An override as the store takes it; `undefined` when there is none, or when its time is over. */
export function sharedOf(
  override: TimedOverride | undefined,
  now: number,
): SharedOverride | undefined {
  if (override === undefined || override.endsAt <= now) return undefined;
  const { state, by, reason, endsAt } = override;
  return {
    state,
    ...(by !== undefined && { by }),
    ...(reason !== undefined && { reason }),
    ...(endsAt !== Infinity && { remainingMs: endsAt - now }),
  };
}

/** Whether two overrides are the same decision, whatever is left of their time. */
export function isSameOverride(
  one: SharedOverride | undefined,
  other: SharedOverride | undefined,
): boolean {
  return one?.state === other?.state && one?.by === other?.by && one?.reason === other?.reason;
}
