import type { OptionsReader } from '../options-reader.js';
import type { ErrorMatcher } from './error-matcher.js';

/**
 * How a call or an attempt ended. `success`: a result, or an error that is an answer (404, a violated constraint): the
 * dependency did its part and said no. `ignored`: it says nothing about the dependency (a programmer's error, a
 * rejection of ours, a caller who has gone).
 */
export type Outcome = 'success' | 'failure' | 'ignored';

/** Decides how a call has ended. */
export interface OutcomeRule {
  ofError(error: unknown): Outcome;
  ofResult(result: unknown): Outcome;
}

/** Which errors mean what; the same words on every policy, looked at in this order. */
export interface OutcomeOptions {
  /** Errors that say nothing about the dependency: neither retried nor answered nor counted. */
  readonly ignore?: readonly ErrorMatcher[];
  /** Errors that are answers: neither retried nor answered by a fallback, and a success for a breaker. */
  readonly skip?: readonly ErrorMatcher[];
  /**
   * The failures: any other error is an answer, or ignored where the default ignores it. Default: the default
   * rule, which is exported as `isFailure`, so that `[isFailure, DeadlockError]` adds to it.
   */
  readonly on?: readonly ErrorMatcher[];
}

/** {@link OutcomeOptions} of the policies that look at results too. */
export interface ResultOutcomeOptions extends OutcomeOptions {
  /** Returns true for a result that counts as a failure, such as an answer that says "try later". */
  readonly onResult?: (result: unknown) => boolean;
}

/** Reads and checks `ignore`, `skip`, `on` and, where the policy has it, `onResult`. */
export function readOutcomeOptions(
  read: OptionsReader<ResultOutcomeOptions>,
): ResultOutcomeOptions {
  const ignore = read.functions('ignore');
  const skip = read.functions('skip');
  const on = read.functions('on');
  const onResult = read.function('onResult');
  return {
    ...(ignore && { ignore }),
    ...(skip && { skip }),
    ...(on && { on }),
    ...(onResult && { onResult }),
  };
}
