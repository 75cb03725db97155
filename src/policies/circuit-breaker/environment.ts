import type { Clock } from '../../common/clock.js';
import { Complaints } from '../../common/complaints.js';
import { type Pulse, isMachineTime, pulse } from '../../common/pulse.js';
import type { ResilienceEvents } from '../../telemetry/resilience-events.js';

/** What a breaker needs from its application. */
export interface BreakerEnvironment {
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: ResilienceEvents;
  /** Where listeners that throw are told of. */
  readonly complaints: Complaints;
  /** Notices when the process was suspended; `undefined` when the clock is not the machine's. */
  readonly pulse?: Pulse | undefined;
  /** Tells operators of something that is wrong, once a message. */
  warn(message: string): void;
  /** Tells operators of something that happened, each time. */
  log(message: string, level?: 'log' | 'warn'): void;
}

/** What the breakers of one name share. */
export function environmentOf(
  given: Omit<BreakerEnvironment, 'complaints' | 'pulse'>,
): BreakerEnvironment {
  const { clock, random, events } = given;
  const warn = (message: string): void => given.warn(message);
  return {
    clock,
    random,
    events,
    complaints: new Complaints(clock, warn),
    pulse: isMachineTime(clock.now()) ? pulse : undefined,
    warn,
    log: (message, level) => given.log(message, level),
  };
}
