import { type FallbackChoice, type GivenHandler, isValue } from './handler.js';
import { isStale } from './stale-if-error.js';

/** The name of one answer in events and metrics. */
export function handlerLabel(handler: unknown): string {
  if (typeof handler === 'string') return handler;
  if (typeof handler === 'function') return handler.name || 'function';
  const known = typeof handler === 'object' && handler !== null;
  if (known && isValue(handler)) return 'value';
  return known && isStale(handler) ? 'staleIfError' : 'unknown';
}

/** The names of all answers of a handler, which may be a list of choices. */
export function handlerLabels(handler: GivenHandler | undefined): readonly string[] {
  if (handler === undefined) return [];
  const answers: readonly unknown[] = isList(handler)
    ? handler.map((choice) => choice.handler)
    : [handler];
  return [...new Set(answers.map(handlerLabel))];
}

function isList(handler: GivenHandler): handler is readonly FallbackChoice[] {
  return Array.isArray(handler);
}
