import type { Clock } from '../../common/clock.js';
import { show } from '../../common/printable.js';
import type { BreakerOverride, OverrideKind } from '../../telemetry/events.js';

/** Who overrides a breaker, why and until when. */
export interface OverrideOptions {
  /** Who has decided it, for snapshots and events. */
  readonly by?: string;
  /** Why, for snapshots and events. */
  readonly reason?: string;
  /** The override ends by itself at this time. Default: only by `clearOverride()`. */
  readonly until?: Date;
}

/** An override that is in force. */
export interface ActiveOverride {
  readonly shown: BreakerOverride;
  /** On the breaker's clock. */
  readonly endsAt: number;
}

/** @throws {TypeError} when `until` is not a date */
export function overrideOf(
  kind: OverrideKind,
  { by, reason, until }: OverrideOptions,
  clock: Clock,
): ActiveOverride {
  if (until !== undefined && Number.isNaN(Number(until instanceof Date ? until : NaN))) {
    throw new TypeError(`until is ${show(until)}; use a Date`);
  }
  const left = until === undefined ? Infinity : until.getTime() - clock.wall();
  return { shown: { kind, by, reason, until }, endsAt: clock.now() + left };
}

/** How long an override is still in force, milliseconds; `undefined` when it has no end. */
export function timeLeft({ endsAt }: ActiveOverride, now: number): number | undefined {
  return endsAt === Infinity ? undefined : endsAt - now;
}
