import type { Clock } from '../../common/clock.js';
import { Complaints } from '../../common/complaints.js';
import { type Pulse, isMachineTime, pulse } from '../../common/pulse.js';
import { quietly } from '../../common/quietly.js';
import type { ResilienceEvents } from '../../telemetry/resilience-events.js';

/** The part of an application that a breaker depends on. */
export interface BreakerEnvironment {
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: ResilienceEvents;
  /** Reports listeners that throw. */
  readonly complaints: Complaints;
  /** Notices when the process was suspended; `undefined` when the clock is not the machine's. */
  readonly pulse?: Pulse | undefined;
  /** Warns operators, once per message. Never throws. */
  warn(message: string): void;
}

/** The environment that the breakers of one name share. */
export function environmentOf(
  given: Omit<BreakerEnvironment, 'complaints' | 'pulse'>,
): BreakerEnvironment {
  const { clock, random, events } = given;
  const warn = (message: string): void => quietly(() => given.warn(message));
  return {
    clock,
    random,
    events,
    complaints: new Complaints(clock, warn),
    pulse: isMachineTime(clock.now()) ? pulse : undefined,
    warn,
  };
}
