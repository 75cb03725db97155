import { lookForText } from '../common/outcomes/look.js';
import type { ResilienceEvent } from './events.js';

/**
 * Makes JSON show no more of an event's error than its name and message. Errors of HTTP clients hand requests and their
 * headers to JSON, and an event may be written to any log.
 */
export function hideErrorFromJson(event: ResilienceEvent): void {
  if (errorIn(event) === undefined) return;
  // Not enumerable, so that copies and comparisons of events do not see it; without effect on a frozen event.
  Reflect.defineProperty(event, 'toJSON', { value: toJSON });
}

function toJSON(this: ResilienceEvent): object {
  const error = errorIn(this);
  if (error === undefined) return this;
  const name = lookForText(error, 'name') ?? 'Error';
  return { ...this, error: { name, message: lookForText(error, 'message') } };
}

function errorIn(event: ResilienceEvent): object | undefined {
  const { error } = event as { readonly error?: unknown };
  return typeof error === 'object' && error !== null ? error : undefined;
}
