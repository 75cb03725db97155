import { printable, show } from '../../common/printable.js';
import type {
  BreakerCounts,
  BreakerOverride,
  ConfigurationEvent,
  OverrideEvent,
  RejectedEvent,
  StateChangeEvent,
  StoreDegradedEvent,
  StoreRecoveredEvent,
} from '../events.js';

/** The kinds of events that are logged. */
export type LoggedEvent =
  | StateChangeEvent
  | OverrideEvent
  | ConfigurationEvent
  | StoreDegradedEvent
  | StoreRecoveredEvent
  | RejectedEvent;

/** The details of an opening. */
export interface CircuitFacts {
  readonly state: string;
  /** Milliseconds until probes are admitted. */
  readonly retryAfterMs: number | undefined;
  readonly limits: {
    readonly minimumCalls: number;
    readonly failureRate: number | undefined;
    readonly consecutiveFailures: number | undefined;
  };
}

/** A line of the log: a sentence, and the same as fields. All its text is printable. */
export interface LogLine {
  readonly level: 'log' | 'warn' | 'debug';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** @param wall milliseconds since the epoch; @param factsOf `undefined` for a breaker that no longer exists */
export function lineOf(
  event: LoggedEvent,
  wall: number,
  factsOf: (name: string) => CircuitFacts | undefined,
): LogLine {
  switch (event.type) {
    case 'state-change':
      return event.to === 'open' ? opening(event, wall, factsOf(event.name)) : change(event);
    case 'override':
      return override(event);
    case 'configuration':
      return configuration(event);
    case 'store-degraded':
      return degraded(event);
    case 'store-recovered':
      return recovered(event);
    case 'rejected':
      return rejection(event);
  }
}

/**
 * Whether an open circuit only tries to close: it admits probes, or they have failed. The opening has been logged, and
 * the recovery will be.
 */
export function isTrial({ from, to }: StateChangeEvent): boolean {
  return to === 'half-open' || (from === 'half-open' && to === 'open');
}

function change(event: StateChangeEvent): LogLine {
  const { type, name, from, to, reason } = event;
  const shown = printable(name);
  return {
    level: isTrial(event) ? 'debug' : 'log',
    message: `circuit "${shown}" is ${to}, was ${from}: ${reason}`,
    fields: { event: type, name: shown, from, to, reason },
  };
}

/** Production logs often show only warnings, and an opening deserves one. */
function opening(event: StateChangeEvent, wall: number, facts?: CircuitFacts): LogLine {
  const { level, message, fields } = change(event);
  const { counts } = event;
  // Listeners may have changed the state since.
  const wait = facts?.state === 'open' ? facts.retryAfterMs : undefined;
  const until = wait === undefined ? undefined : time(wall + wait);
  const end = until === undefined ? '' : `; until ${until}`;
  const limits = facts && {
    minimumCalls: facts.limits.minimumCalls,
    failureRate: facts.limits.failureRate,
    consecutiveFailures: facts.limits.consecutiveFailures,
  };
  return {
    level: level === 'debug' ? level : 'warn',
    message: `${message}; ${numbers(counts, limits)}${end}`,
    fields: { ...fields, counts: { ...counts }, ...(limits && { limits }), until },
  };
}

function numbers(
  { successes, failures, slow, consecutiveFailures }: BreakerCounts,
  limits: CircuitFacts['limits'] | undefined,
): string {
  const ended = successes + failures;
  const bounds = [
    limits?.failureRate !== undefined &&
      `${percent(limits.failureRate)} of at least ${limits.minimumCalls} calls`,
    limits?.consecutiveFailures !== undefined && `${limits.consecutiveFailures} in a row`,
  ].filter((bound) => bound !== false);
  const allowed = bounds.length === 0 ? '' : ` (limit: ${bounds.join(', ')})`;
  const share = ended === 0 ? '' : ` = ${percent(failures / ended)}`;
  return `${failures} of ${ended} calls failed${share}, ${consecutiveFailures} in a row${allowed}, ${slow} were slow`;
}

function percent(rate: number): string {
  return `${Math.round(rate * 1_000) / 10} %`;
}

function override({ type, name, override: given }: OverrideEvent): LogLine {
  const shown = printable(name);
  if (given === undefined) {
    return {
      level: 'log',
      message: `circuit "${shown}" is no longer overridden`,
      fields: { event: type, name: shown, override: null },
    };
  }
  const until = untilOf(given);
  const message = `circuit "${shown}" is overridden: ${given.kind}${note(given)}`;
  return {
    level: 'log',
    message: `${message}, until ${until ?? 'it is cleared'}`,
    fields: { event: type, name: shown, override: given.kind, ...noteFields(given), until },
  };
}

function untilOf({ until }: BreakerOverride): string | undefined {
  return until === undefined ? undefined : time(until.getTime());
}

function configuration(event: ConfigurationEvent): LogLine {
  const { type, target, patch, scope, ended, pending } = event;
  const shown = printable(target);
  const changed = patch === null ? null : printable(JSON.stringify(patch));
  const what = changed === null ? 'all changes were reverted' : changed;
  const until = event.until && time(event.until.getTime());
  const whose = scope === undefined ? '' : ' for all instances';
  const when = until === undefined ? '' : `, until ${until}`;
  const later = pending ? '; the others hear of it when the store is back' : '';
  const message = ended
    ? `a change of "${shown}"${whose}${note(event)} has expired: ${what}`
    : `options of "${shown}" have been changed${whose}${note(event)}: ${what}${when}${later}`;
  const fields = { event: type, target: shown, patch: changed, ...noteFields(event) };
  return {
    level: 'log',
    message,
    fields: scope === undefined ? fields : { ...fields, scope, until },
  };
}

function degraded({ type, name, error }: StoreDegradedEvent): LogLine {
  const shown = printable(name);
  const reason = printable(show(error));
  return {
    level: 'warn',
    message: `store ${shown} does not answer: ${reason}; shared breakers and limits act as local ones`,
    fields: { event: type, name: shown, error: reason },
  };
}

function recovered({ type, name, degradedForMs }: StoreRecoveredEvent): LogLine {
  const shown = printable(name);
  const ms = Math.round(degradedForMs);
  return {
    level: 'log',
    message: `store ${shown} answers again after ${ms} ms`,
    fields: { event: type, name: shown, degradedForMs: ms },
  };
}

function rejection({ type, name, policy, code, retryAfterMs, observed }: RejectedEvent): LogLine {
  const shown = printable(name);
  const verb = observed ? 'would have rejected' : 'has rejected';
  return {
    level: 'log',
    message: `${printable(policy)} "${shown}" ${verb} a call: ${printable(code)}`,
    fields: {
      event: type,
      name: shown,
      policy: printable(policy),
      code: printable(code),
      retryAfterMs,
      ...(observed && { observed }),
    },
  };
}

/** Who, and why. */
interface Note {
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
}

function note({ by, reason }: Note): string {
  const who = by === undefined ? '' : ` by ${text(by)}`;
  return reason === undefined ? who : `${who} (${text(reason)})`;
}

function noteFields({ by, reason }: Note): Note {
  return {
    ...(by !== undefined && { by: text(by) }),
    ...(reason !== undefined && { reason: text(reason) }),
  };
}

/** Typed as text, but comes from outside. */
function text(value: unknown): string {
  return printable(typeof value === 'string' ? value : show(value));
}

function time(at: number): string | undefined {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
