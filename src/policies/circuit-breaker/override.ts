import type { Clock } from '../../common/clock.js';
import { readArgument } from '../../common/given.js';
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

/** The functions that make overrides, for messages. */
const MAKERS: Readonly<Record<OverrideKind, string>> = {
  'forced-open': 'forceOpen()',
  disabled: 'disable()',
  'observe-only': 'observeOnly()',
};

/** @throws {TypeError} when an option is wrong */
export function overrideOf(
  kind: OverrideKind,
  options: OverrideOptions,
  clock: Clock,
): ActiveOverride {
  const now = clock.wall();
  const given = readArgument(MAKERS[kind], options, '{ by, reason, until }', (read) => ({
    by: read.note('by'),
    reason: read.note('reason'),
    until: read.futureDate('until', now),
  }));
  const { until } = given;
  const left = until === undefined ? Infinity : until.getTime() - now;
  return { shown: { kind, ...given }, endsAt: clock.now() + left };
}

/** How long an override will still be in force, milliseconds; `undefined` when it has no end. */
export function timeLeft({ endsAt }: ActiveOverride, now: number): number | undefined {
  return endsAt === Infinity ? undefined : endsAt - now;
}
