import type { ResilienceEvent } from '../../src/telemetry/events.js';
import type { ResilienceEvents } from '../../src/telemetry/resilience-events.js';

const BEGINNINGS_AND_ENDS: readonly string[] = ['call-start', 'call-end', 'attempt-start'];

/** The events to come of what policies do: without the beginnings and ends of calls, and without their numbers. */
export function policyEventsOf(events: ResilienceEvents): ResilienceEvent[] {
  const heard: ResilienceEvent[] = [];
  events.subscribe((event) => {
    if (BEGINNINGS_AND_ENDS.includes(event.type)) return;
    const { callId: _, ...rest } = event as { callId?: number } & ResilienceEvent;
    heard.push(rest as ResilienceEvent);
  });
  return heard;
}
