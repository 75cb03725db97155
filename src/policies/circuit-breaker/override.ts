import type { Clock } from '../../common/clock.js';
import { isOptions } from '../../common/objects.js';
import { show } from '../../common/printable.js';
import type { BreakerOverride, OverrideKind } from '../../telemetry/events.js';

/** Options of an override. */
export interface OverrideOptions {
  /** Who made the decision, for snapshots and events. */
  readonly by?: string;
  /** Why, for snapshots and events. */
  readonly reason?: string;
  /** When the override ends by itself. Default: only by `clearOverride()`. */
  readonly until?: Date;
}

/** An override in force. */
export interface ActiveOverride {
  readonly shown: BreakerOverride;
  /** On the breaker's clock. */
  readonly endsAt: number;
}

const OPTIONS = ['by', 'reason', 'until'];

/** @throws {TypeError} when the options are not an object or have an unknown name, or `until` is not a date */
export function overrideOf(
  kind: OverrideKind,
  options: OverrideOptions,
  clock: Clock,
): ActiveOverride {
  const given: unknown = options;
  if (!isOptions(given)) {
    throw new TypeError(`the options are ${show(options)}; use { by, reason, until }`);
  }
  const unknown = Object.keys(options).find((option) => !OPTIONS.includes(option));
  if (unknown !== undefined) {
    throw new TypeError(`${unknown} is not an option; the options are ${OPTIONS.join(', ')}`);
  }
  const { by, reason, until } = options;
  if (until !== undefined && Number.isNaN(Number(until instanceof Date ? until : NaN))) {
    throw new TypeError(`until is ${show(until)}; use a Date`);
  }
  const left = until === undefined ? Infinity : until.getTime() - clock.wall();
  return { shown: { kind, by, reason, until }, endsAt: clock.now() + left };
}

/** How long an override will still be in force, milliseconds; `undefined` when it has no end. */
export function timeLeft({ endsAt }: ActiveOverride, now: number): number | undefined {
  return endsAt === Infinity ? undefined : endsAt - now;
}
