import type { Clock } from '../../common/clock.js';
import type { ResilienceEvents } from '../../telemetry/resilience-events.js';

/** What a breaker needs from its application. */
export interface BreakerEnvironment {
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: ResilienceEvents;
  /** Tells operators of something that is wrong, once a message. */
  warn(message: string): void;
  /** Tells operators of something that happened. */
  log(message: string): void;
}
