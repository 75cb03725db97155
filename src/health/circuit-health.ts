import type { BreakerOverride, BreakerState, OverrideKind } from '../telemetry/events.js';

/** A circuit that is open, half-open or overridden. */
export interface CircuitHealth {
  /** The breaker's name; of one with keys, the name that all keys share, since keys may be tenants, hosts or users. */
  readonly name: string;
  /** The state by its own rules; of one with keys, that of the worst key. */
  readonly state: BreakerState;
  /** Set for a breaker with the option `critical`. */
  readonly critical?: true;
  /** The operator's override in force. */
  readonly override?: OverrideKind;
  /** When the override ends by itself, as an ISO date. */
  readonly until?: string;
  /** Of a breaker with keys: how many keys there are, and how many of them are open and half-open. */
  readonly keys?: {
    readonly total: number;
    readonly open: number;
    readonly halfOpen: number;
  };
}

/** The parts of a breaker that are used here; it may come from another copy of the package. */
export interface Breaker {
  readonly state: BreakerState;
  readonly override: BreakerOverride | undefined;
  readonly critical: boolean;
  /** Whether it is half-open only for lack of calls. */
  readonly lacksCalls: boolean;
}

/** The severity of a circuit for the application; the last is the worst. */
export enum Harm {
  none,
  /** All calls are admitted by an operator's decision, whatever the state. */
  overridden,
  /** The next call is a probe, but there has been no call for minutes. */
  waiting,
  /** Only probes are admitted. Also of a critical breaker: without traffic no probe would ever close it. */
  probing,
  /** All calls are rejected. */
  rejecting,
  /** All calls are rejected, and the application is useless without them. */
  critical,
}

/** The effect of the breaker on calls; an override decides it before the state. */
export function harmOf({ state, override, critical, lacksCalls }: Breaker): Harm {
  const rejecting = override === undefined ? state === 'open' : override.kind === 'forced-open';
  if (rejecting) return critical ? Harm.critical : Harm.rejecting;
  if (override !== undefined) return Harm.overridden;
  if (state !== 'half-open') return Harm.none;
  return lacksCalls ? Harm.waiting : Harm.probing;
}

/** Shows a circuit without what operators wrote about it: health checks are often public. */
export function circuitHealthOf(
  name: string,
  { state, override, critical }: Breaker,
): CircuitHealth {
  const until = override?.until;
  return {
    name,
    state,
    ...(critical && { critical }),
    ...(override !== undefined && { override: override.kind }),
    ...(until !== undefined && { until: until.toISOString() }),
  };
}
