import { isPlainObject } from '../common/objects.js';
import { ask, keysOf, look, lookAtItems, lookForText } from '../common/outcomes/look.js';
import { shortened, show } from '../common/printable.js';
import { isValue } from '../policies/fallback/handler.js';
import type { AdminValue } from './contract.js';

const DEEPEST = 6;
const MOST_ITEMS = 100;
const LONGEST = 500;

/** Names whose values are never shown. */
const SECRET =
  /pass(word|wd|phrase)|secret|token|credential|authori[sz]ation|api[-_]?key|private[-_]?key|cookie|session/i;

/** A parameter of a URL whose name says that its value is secret. */
const SECRET_PARAMETER = new RegExp(
  `([?&][^=&#\\s]*(?:${SECRET.source})[^=&#\\s]*=)[^&#\\s]*`,
  'gi',
);

/** The part of a URL that may have a password in it. */
const USER_INFO = /\/\/[^/?#@\s]*@/g;

/**
 * A value of the configuration as JSON, without secrets: `'function'` for a function, `'[secret]'` by the name of an option or in
 * a URL, `'[Class]'` for an instance, `'[value]'` for the answer of a fallback. Never throws.
 */
export function plain(value: unknown, name = '', depth = 0): AdminValue {
  return ask(() => shown(value, name, depth), '[unreadable]');
}

/** A text for people: shortened, without secrets. Accepts any value, and never throws. */
export function textOf(value: unknown): string {
  return text(typeof value === 'string' ? value : show(value));
}

/** An error as one line: only its name and message. */
export function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) {
    return typeof error === 'string' ? text(error) : `a thrown ${typeof error}`;
  }
  const name = lookForText(error, 'name') ?? 'Error';
  const message = lookForText(error, 'message');
  return text(message === undefined || message === '' ? name : `${name}: ${message}`);
}

function shown(value: unknown, name: string, depth: number): AdminValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value;
  if (SECRET.test(name)) return '[secret]';
  switch (typeof value) {
    case 'string':
      return text(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'function':
      return 'function';
    case 'object':
      return object(value, depth);
    case 'bigint':
      return String(value);
    default:
      return `[${typeof value}]`;
  }
}

function object(value: object, depth: number): AdminValue {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (isValue(value)) return '[value]';
  if (Array.isArray(value)) {
    if (depth >= DEEPEST) return '[…]';
    return lookAtItems(value, MOST_ITEMS).map((item) => plain(item, '', depth + 1));
  }
  if (!isPlainObject(value)) return `[${constructorOf(value)}]`;
  if (depth >= DEEPEST) return '[…]';
  const keys = keysOf(value).slice(0, MOST_ITEMS);
  // A null prototype, so that a key such as `__proto__` is an ordinary one.
  const copy = Object.create(null) as Record<string, AdminValue>;
  for (const key of keys) {
    const item = look(value, key);
    if (item !== undefined) copy[text(key)] = plain(item, key, depth + 1);
  }
  return copy;
}

function constructorOf(value: object): string {
  return text(lookForText(look(value, 'constructor'), 'name') ?? 'object');
}

function text(value: string): string {
  // Masked first: a secret that has been cut no longer looks like one.
  const masked = value.replace(USER_INFO, '//[secret]@').replace(SECRET_PARAMETER, '$1[secret]');
  return shortened(masked, LONGEST);
}
