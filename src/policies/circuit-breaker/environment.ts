import type { Clock } from '../../common/clock.js';
import type { ResilienceEvents } from '../../telemetry/resilience-events.js';

/** What a breaker needs from its application. */
export interface BreakerEnvironment {
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: ResilienceEvents;
  warn(message: string): void;
}
