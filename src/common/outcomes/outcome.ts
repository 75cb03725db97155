import type { OptionsReader } from '../options-reader.js';
import type { ErrorMatcher } from './error-matcher.js';

/**
 * How a call or an attempt ended. `success`: a result, or an error that is an answer (404, a violated constraint): the
 * dependency worked, and said no. `ignored`: says nothing about the dependency (a programmer error, one of our own
 * rejections, a caller that has gone).
 */
export type Outcome = 'success' | 'failure' | 'ignored';

/** Decides the outcome of a call. */
export interface OutcomeRule {
  ofError(error: unknown): Outcome;
  ofResult(result: unknown): Outcome;
}

/** The meaning of errors: the same options on every policy, applied in this order. */
export interface OutcomeOptions {
  /** Errors that say nothing about the dependency: not retried, not answered by a fallback, neither good nor bad for a breaker. */
  readonly ignore?: readonly ErrorMatcher[];
  /** Errors that are answers: not retried, not answered by a fallback, and a success for a breaker. */
  readonly skip?: readonly ErrorMatcher[];
  /**
   * The only errors that are failures. Any other error is an answer, or ignored if the default rule ignores it. Default:
   * the default rule, exported as `isFailure`, so that `[isFailure, DeadlockError]` adds to it.
   */
  readonly on?: readonly ErrorMatcher[];
}

/** {@link OutcomeOptions} of policies that judge results too. */
export interface ResultOutcomeOptions extends OutcomeOptions {
  /** Returns true for a result that counts as a failure, such as a "try later". Default: none does. */
  readonly onResult?: (result: unknown) => boolean;
}

/** Reads and checks `ignore`, `skip`, `on` and `onResult`. */
export function readOutcomeOptions(
  read: OptionsReader<ResultOutcomeOptions>,
): ResultOutcomeOptions {
  const errors = readErrorOptions(read);
  const onResult = read.synchronous('onResult');
  return { ...errors, ...(onResult && { onResult }) };
}

/** Reads and checks `ignore`, `skip` and `on`, for a policy that does not judge results. */
export function readErrorOptions(read: OptionsReader<OutcomeOptions>): OutcomeOptions {
  const ignore = read.functions('ignore');
  const skip = read.functions('skip');
  const on = read.functions('on');
  return { ...(ignore && { ignore }), ...(skip && { skip }), ...(on && { on }) };
}
