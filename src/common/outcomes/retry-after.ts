import { types } from 'node:util';
import { isResilienceError } from '../errors.js';
import { parseHttpDate } from './http-date.js';
import { ask, keysOf, look, lookAtItems, lookByCall, lookForText } from './look.js';
import { payloadOf } from './payload.js';

/** A larger number of seconds counts as this one (RFC 9111, 1.2.2). */
const MOST_SECONDS = 2 ** 31;

/** How many headers are searched for one in another case. */
const MOST_HEADERS = 200;

/**
 * The wait that an error asks for, milliseconds: `retryAfterMs` of our own rejections, also of those that another service
 * has sent, the `Retry-After` header in an HTTP client's error (RFC 9110, 10.2.3: whole seconds, or a date), or gRPC's
 * `grpc-retry-pushback-ms`. A date in the past is 0; anything else is `undefined`.
 *
 * @param wall the current time, milliseconds since the epoch
 */
export function retryAfterOf(error: unknown, wall: number): number | undefined {
  if (isResilienceError(error)) return asMilliseconds(look(error, 'retryAfterMs'));
  for (const carrier of [look(error, 'response'), error, look(error, '$response')]) {
    const value = single(header(look(carrier, 'headers'), 'retry-after'));
    if (value !== undefined) return parseRetryAfter(value, wall);
  }
  const pushback = single(lookByCall(look(error, 'metadata'), 'get', 'grpc-retry-pushback-ms'));
  return pushback === undefined ? sentRetryAfterOf(error) : wholeNumber(pushback);
}

/** Sent by a service in another process, over RPC or GraphQL, beside a `code`. */
function sentRetryAfterOf(error: unknown): number | undefined {
  const carriers = [error, payloadOf(error), look(error, 'extensions')];
  const sent = carriers.find((carrier) => lookForText(carrier, 'code') !== undefined);
  return asMilliseconds(look(sent, 'retryAfterMs'));
}

function asMilliseconds(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value < Infinity ? value : undefined;
}

function parseRetryAfter(text: string, wall: number): number | undefined {
  const seconds = wholeNumber(text);
  if (seconds !== undefined) return Math.min(seconds, MOST_SECONDS) * 1_000;
  const date = parseHttpDate(text, wall);
  if (date === undefined) return undefined;
  return Math.min(Math.max(0, date - wall), MOST_SECONDS * 1_000);
}

function wholeNumber(text: string | undefined): number | undefined {
  return text?.match(/^\d+$/) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : undefined;
}

/** A header, whatever the case of its name, in `Headers`, a `Map`, axios' headers or a plain object. */
function header(headers: unknown, name: string): unknown {
  const found = lookByCall(headers, 'get', name) ?? look(headers, name);
  if (found !== undefined) return found;
  const inMap = types.isMap(headers);
  const names = inMap ? ask(() => [...headers.keys()], []) : keysOf(headers);
  const spelt = names
    .slice(0, MOST_HEADERS)
    .find((candidate) => typeof candidate === 'string' && candidate.toLowerCase() === name);
  if (spelt === undefined) return undefined;
  return inMap ? lookByCall(headers, 'get', spelt) : look(headers, spelt as string);
}

/** The text of a header that occurs once; some clients give each header as a list. */
function single(value: unknown): string | undefined {
  const items = lookAtItems(value, 2);
  const only = items.length === 1 ? items[0] : value;
  const text = typeof only === 'number' ? String(only) : only;
  return typeof text === 'string' ? text.replaceAll(/^[ \t]+|[ \t]+$/g, '') : undefined;
}
