import type { ResilienceEvent, ResilienceEventKind } from '../../src/telemetry/events.js';
import { resilienceEventKinds } from '../../src/telemetry/event-kinds.js';
import type { ResilienceEvents } from '../../src/telemetry/resilience-events.js';

const NEVER: readonly ResilienceEventKind[] = ['call-start', 'call-end', 'attempt-start'];

const OF_ATTEMPTS: readonly ResilienceEventKind[] = ['attempt', 'late'];

/** With `TEST_ATTEMPTS=heard`, the attempts of all tests are heard, so that their calls take the other way. */
const always = process.env['TEST_ATTEMPTS'] === 'heard';

/**
 * The events to come of what policies do, without the numbers of their calls.
 *
 * @param attempts whether to hear of attempts and late results too. A call whose attempts are heard takes another way through
 *   its pipeline than most calls of an application do.
 */
export function policyEventsOf(events: ResilienceEvents, attempts = false): ResilienceEvent[] {
  const heard: ResilienceEvent[] = [];
  const hear = (event: ResilienceEvent): void => {
    const { callId: _, ...rest } = event as { callId?: number } & ResilienceEvent;
    heard.push(rest as ResilienceEvent);
  };
  const left = attempts || always ? NEVER : [...NEVER, ...OF_ATTEMPTS];
  for (const kind of resilienceEventKinds) {
    if (!left.includes(kind)) events.on(kind, hear);
  }
  return heard;
}
