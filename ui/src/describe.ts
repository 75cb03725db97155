import type {
  AdminStreamBreaker,
  AdminEvent,
  AdminRateLimit,
  AdminValue,
} from '../../src/admin/contract.js';
import { breakerTrouble, rateLimitTrouble } from '../../src/admin/views/troubles.js';
import { duration, percent } from './format.js';
import type { Health } from './model.js';

/** States and overrides, the worst first. */
const WORDS: Record<string, Health> = {
  open: { level: 'bad', word: 'open' },
  'forced-open': { level: 'bad', word: 'forced open' },
  'half-open': { level: 'warn', word: 'half-open' },
  failing: { level: 'warn', word: 'failing' },
  disabled: { level: 'info', word: 'disabled' },
  limiting: { level: 'warn', word: 'rejects many' },
  'observe-only': { level: 'info', word: 'observe only' },
};

/** Judgement of a breaker. */
export interface Diagnosis {
  readonly health: Health;
  /** The reason for it, in words. */
  readonly why: string;
  /** Since when that is so, milliseconds since 1970; `undefined` when it is not known. */
  readonly troubleSince: number | undefined;
}

/** The health of a breaker and the reason for it; the server judges by the same rule. */
export function diagnosis(breaker: AdminStreamBreaker): Diagnosis {
  const trouble = breakerTrouble(breaker);
  if (trouble === undefined) {
    return {
      health: { level: 'good', word: 'closed' },
      why: 'all is well',
      troubleSince: breaker.since,
    };
  }
  return {
    health: WORDS[trouble.kind] ?? { level: 'warn', word: trouble.kind },
    why: trouble.why,
    troubleSince: trouble.since,
  };
}

/** The health of a rate limit; `undefined` when all is well. */
export function limitHealth(limit: AdminRateLimit): Health | undefined {
  const trouble = rateLimitTrouble(limit);
  return trouble && WORDS[trouble.kind];
}

/** The counts of the window against the thresholds. */
export function factsOf(breaker: AdminStreamBreaker): (readonly [string, string])[] {
  const { counts, limits, failureRate, slowCallRate, running, rejected, metrics } = breaker;
  const ended = counts.successes + counts.failures;
  const limit = (text: string | undefined): string =>
    text === undefined ? '' : `, opens at ${text}`;
  const facts: (readonly [string, string])[] = [
    [
      'Ended calls',
      `${ended}${limits.minimumCalls ? `, rates count from ${limits.minimumCalls}` : ''}`,
    ],
    [
      'Failure rate',
      `${percent(failureRate)} (${counts.failures})${limit(limits.failureRate === undefined ? undefined : percent(limits.failureRate))}`,
    ],
    ['Slow calls', `${percent(slowCallRate)} (${counts.slow})`],
    [
      'Failures in a row',
      `${counts.consecutiveFailures}${limit(limits.consecutiveFailures === undefined ? undefined : String(limits.consecutiveFailures))}`,
    ],
    ['Running', String(running)],
    ['Rejected since the start', String(rejected)],
    ['Latency p50 / p99', `${duration(metrics.latency.p50)} / ${duration(metrics.latency.p99)}`],
  ];
  if (limits.openForMs !== undefined) facts.push(['Opens for', duration(limits.openForMs)]);
  return facts;
}

/** Details that the text of an event leaves out: they are shown elsewhere, or are too long for a line. */
const HIDDEN = new Set(['counts']);

/** An event as a line. */
export function textOf({ type, details, error, count }: AdminEvent): string {
  const { from, to, ...others } = details;
  const parts = [
    ...(type === 'state-change' ? [`${wordOf(from)} → ${wordOf(to)}`] : []),
    ...Object.entries(others)
      .filter(([name]) => !HIDDEN.has(name))
      .map(([name, value]) => detail(name, value)),
    ...(error === undefined ? [] : [error]),
    ...(count === undefined ? [] : [`${count} times`]),
  ];
  return parts.join(', ');
}

/** A patch of options as a line: `circuit breaker open for 30s; retry as before`. */
export function patchText(patch: AdminValue): string {
  const policies = Object.entries(patch ?? {}).map(([kind, options]: [string, AdminValue]) =>
    options === null ? `${inWords(kind)} as before` : detail(kind, options),
  );
  return policies.length === 0 ? 'options that are unknown here' : policies.join('; ');
}

/** A detail in words: `retryAfterMs: 2476.3` is “retry after 2.5 s”. */
function detail(name: string, value: unknown): string {
  const time = typeof value === 'number' && name.endsWith('Ms');
  const words = inWords(time ? name.slice(0, -2) : name);
  if (time) return `${words} ${duration(value)}`;
  if (name === 'until' && typeof value === 'number')
    return `until ${new Date(value).toLocaleString()}`;
  return `${words} ${wordOf(value)}`;
}

/** `circuitBreaker` as one says it: `circuit breaker`. */
export function inWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function wordOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, each]) => detail(name, each))
      .join(', ');
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
