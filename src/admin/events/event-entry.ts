import { keysOf, look, lookForText } from '../../common/outcomes/look.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import type { AdminEvent, AdminValue } from '../contract.js';
import { errorText, plain } from '../plain.js';

/** An event that has no number yet. */
export type EventEntry = Omit<AdminEvent, 'sequence'>;

/** Kinds of rare events; storms of other kinds do not push them out. */
const RARE = new Set([
  'state-change',
  'override',
  'change',
  'configuration',
  'store-degraded',
  'store-recovered',
]);

/** Events of normal calls: they are not recorded. */
const ORDINARY = new Set(['queued', 'throttled']);

const NOT_DETAILS = new Set(['type', 'name', 'error']);

export function isRare(type: string): boolean {
  return RARE.has(type);
}

/** Whether an event is worth recording. */
export function isNews(event: ResilienceEvent): boolean {
  return !ORDINARY.has(event.type);
}

/** Equal for similar events, which become one line within a second. */
export function likeness(event: ResilienceEvent): string {
  const { type, name } = event;
  const what = ['code', 'handler', 'outcome'].map((key) => lookForText(event, key) ?? '');
  return `${type} ${what.join(' ')} ${name}`;
}

/** An event without references to what it is about, in particular to errors, which may hold requests and answers. */
export function entryOf(event: ResilienceEvent, at: number): EventEntry {
  const details: Record<string, AdminValue> = {};
  for (const key of keysOf(event)) {
    const value = look(event, key);
    if (NOT_DETAILS.has(key) || value === undefined) continue;
    details[key] = plain(value, key);
  }
  const error = look(event, 'error');
  return {
    at,
    type: event.type,
    name: event.name,
    ...(error !== undefined && { error: errorText(error) }),
    details,
  };
}
