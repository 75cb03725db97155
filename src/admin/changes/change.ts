import { isPlainObject } from '../../common/objects.js';
import { parseDuration } from '../../common/duration.js';
import { printable } from '../../common/printable.js';
import type { Scope } from '../../policies/scope.js';
import { AdminError } from '../admin-error.js';
import type { AdminAction } from '../contract.js';

const LONGEST_BY = 100;
const LONGEST_REASON = 500;
/** The longest time that an override may be given, milliseconds: longer ones are mistakes. */
const LONGEST = 366 * 24 * 3_600_000;

const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;

const ACTIONS: readonly AdminAction[] = [
  'force-open',
  'disable',
  'observe-only',
  'clear',
  'reset',
  'configure',
];

const ENDING: readonly AdminAction[] = ['force-open', 'disable', 'observe-only', 'configure'];

const FIELDS = new Set(['by', 'reason', 'until', 'options', 'scope']);

const SCOPES: readonly unknown[] = ['local', 'shared'] satisfies Scope[];

/** A requested change, checked. */
export interface Change {
  readonly action: AdminAction;
  readonly by: string;
  readonly reason: string;
  readonly until: Date | undefined;
  /** `null` reverts changes. */
  readonly options: Record<string, unknown> | null | undefined;
  /** The instances whose options are changed; `undefined`: all of them if the breaker is shared. */
  readonly scope: Scope | undefined;
}

/** @throws {AdminError} when there is no such action */
export function actionOf(name: unknown): AdminAction {
  const action = ACTIONS.find((each) => each === name);
  if (action === undefined) throw new AdminError(404, 'NOT_FOUND', 'there is no such action');
  return action;
}

/**
 * Checks the body of a change.
 *
 * @param known the author, if the server knows
 * @param now milliseconds since the epoch
 * @throws {AdminError} with all problems; they contain no value of the body
 */
export function readChange(
  action: AdminAction,
  body: Readonly<Record<string, unknown>>,
  known: string | undefined,
  now: number,
): Change {
  const problems: string[] = [];
  const by =
    known === undefined
      ? textOf(body.by, 'by', LONGEST_BY, problems)
      : printable(known, LONGEST_BY);
  const reason = textOf(body.reason, 'reason', LONGEST_REASON, problems);
  const until = untilOf(action, body.until, now, problems);
  const options = optionsOf(action, body.options, problems);
  const scope = scopeOf(action, body.scope, problems);
  if (Object.keys(body).some((field) => !FIELDS.has(field))) {
    problems.push(`the fields are ${[...FIELDS].join(', ')}; use no others`);
  }
  if (problems.length > 0) {
    throw incomplete(problems);
  }
  return { action, by: by!, reason: reason!, until, options, scope };
}

export function incomplete(problems: readonly string[]): AdminError {
  return new AdminError(400, 'BAD_REQUEST', 'the change is not complete', problems);
}

/** One line, so that no part of it can look like a log line of its own. */
function textOf(
  value: unknown,
  field: string,
  longest: number,
  problems: string[],
): string | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  if (text !== '' && text.length <= longest) return printable(text, longest);
  problems.push(`${field}: use a text of at most ${longest} characters`);
  return undefined;
}

/** The problem with an `until` that is not in the future, or too far in it. */
export const WRONG_END = `until: use a future date, such as '2030-01-31T12:00:00Z', or a duration such as '30m'; within a year`;

function untilOf(
  action: AdminAction,
  value: unknown,
  now: number,
  problems: string[],
): Date | undefined {
  if (value === undefined || value === null) return undefined;
  if (!ENDING.includes(action)) {
    problems.push(`until: only for ${ENDING.join(', ')}`);
    return undefined;
  }
  const left = parseDuration(value);
  const instant = left === undefined ? dateOf(value) : now + left;
  if (instant > now && instant <= now + LONGEST) return new Date(Math.ceil(instant));
  problems.push(WRONG_END);
  return undefined;
}

function dateOf(value: unknown): number {
  if (typeof value !== 'string' || !DATE.test(value)) return NaN;
  const day = value.slice(0, 10);
  // For JavaScript, 30 February is a day in March.
  const midnight = Date.parse(`${day}T00:00Z`);
  const exists = midnight >= 0 && new Date(midnight).toISOString().startsWith(day);
  return exists ? Date.parse(value) : NaN;
}

function optionsOf(
  action: AdminAction,
  value: unknown,
  problems: string[],
): Record<string, unknown> | null | undefined {
  if (action !== 'configure') {
    if (value !== undefined) problems.push('options: only for configure');
    return undefined;
  }
  if (value === null || (isPlainObject(value) && Object.keys(value).length > 0)) return value;
  problems.push('options: use an object with the options to change, or null to revert changes');
  return undefined;
}

function scopeOf(action: AdminAction, value: unknown, problems: string[]): Scope | undefined {
  if (value === undefined) return undefined;
  if (action === 'configure' && SCOPES.includes(value)) return value as Scope;
  problems.push(`scope: only for configure; use 'local' or 'shared'`);
  return undefined;
}
