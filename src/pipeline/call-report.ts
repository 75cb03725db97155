import { AsyncLocalStorage } from 'node:async_hooks';
import { shared } from '../common/brand.js';
import type { Outcome } from '../common/outcome.js';
import type { Call } from './call.js';

/** Where the value that a call answered with came from: the method, a fallback, or a former result. */
export type AnswerSource = 'live' | 'fallback' | 'stale';

/** How one protected call went. */
export interface CallReport {
  /** `Class.method`. */
  readonly name: string;
  /** How often it was tried, the first included. */
  readonly attempts: number;
  readonly outcome: Outcome;
  readonly source: AnswerSource;
  /** How old a stale answer is, milliseconds. */
  readonly ageMs: number | undefined;
  readonly durationMs: number;
}

/** Something that answers in a method's place. */
export type Substitute = (self: unknown, args: readonly unknown[]) => unknown;

/** What protected calls made further down can know of where they are made. */
export interface CallScope {
  /** The handler's call that an interceptor is carrying out: calls made by the handler end with it. */
  readonly call?: Call | undefined;
  /** The method whose policies that interceptor owns … */
  readonly owned?: unknown;
  /** … until the method has run: a second call of it is a call of its own. */
  claimed: boolean;
  /** What runs instead of that method: its fallback. */
  readonly substitute?: Substitute | undefined;
  readonly reports?: CallReport[] | undefined;
}

/** One for all copies of the package in this process. */
export const callScope = shared('call-scope', () => new AsyncLocalStorage<CallScope>());

/**
 * Runs `work` and tells how the protected calls made by it went: how often each was tried, and whether its
 * answer is live, from a fallback, or stale and how old.
 *
 * @returns the value of `work` and a report for each protected call that has ended by then, in that order
 * @throws what `work` throws
 *
 * @example
 * const { value, calls } = await withReport(() => this.storage.getBooks());
 * if (calls[0]?.source === 'stale') response.setHeader('Age', Math.ceil(calls[0].ageMs! / 1000));
 */
export async function withReport<T>(
  work: () => T | Promise<T>,
): Promise<{ value: T; calls: readonly CallReport[] }> {
  const calls: CallReport[] = [];
  const scope = { claimed: false, ...callScope.getStore(), reports: calls };
  const value = await callScope.run(scope, work);
  return { value, calls };
}
