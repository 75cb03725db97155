import { inspect, types } from 'node:util';
import { ask } from './outcomes/look.js';

/** A name from outside that is longer is cut when it is shown. */
const LONGEST = 200;

// C0 and C1 controls, line and paragraph separators, characters that change the text direction, lone surrogates.
const HOSTILE =
  // eslint-disable-next-line no-control-regex -- those are the characters that must not get into a log
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

const SHORT: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/**
 * Makes text from outside, such as a key, safe for a log or a message: on one line, without terminal escape sequences, and
 * at most `longest` characters before escaping, by default 200.
 */
export function printable(text: string, longest = LONGEST): string {
  const short = shortened(nameIn(text), longest);
  HOSTILE.lastIndex = 0;
  return HOSTILE.test(short) ? short.replace(HOSTILE, escaped) : short;
}

/** The text, cut if it is longer; never in the middle of a surrogate pair. */
export function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function escaped(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A name, even where untyped code gives something else. */
export function nameIn(given: unknown): string {
  return typeof given === 'string' ? given : show(given);
}

/** The problem with what was given in the place of options. */
export function notOptions(
  given: unknown,
  { what = 'the options are', right = 'an object' }: NotOptions = {},
): string {
  return `${what} ${show(given)}; use ${right}`;
}

/** The words of {@link notOptions}. */
export interface NotOptions {
  /** How the options are called, with the verb. */
  readonly what?: string | undefined;
  readonly right?: string;
}

/** Shows a value in a message: short, on one line. Never throws, whatever the value is. */
export function show(value: unknown): string {
  return ask(() => {
    const text = shown(value);
    return printable(text, text.includes('\n') ? LONGEST : Infinity);
  }, 'something that cannot be shown');
}

function shown(value: unknown): string {
  if (types.isNativeError(value)) return printable(`${value.name}: ${value.message}`);
  if (typeof value === 'function') {
    return value.name ? printable(`function ${value.name}`) : 'a function';
  }
  if (value instanceof Promise) return 'a promise';
  return inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 60 });
}
