import { defaultOutcome } from './default-outcome.js';
import { toPredicate } from './error-matcher.js';
import { safely } from './look.js';
import type { Outcome, OutcomeRule, ResultOutcomeOptions } from './outcome.js';
import { outcomeOfResult } from './stream-result.js';

type Predicate = (value: unknown) => boolean;

/**
 * Decides outcomes: by `ignore`, then `skip`, then `on`. With `on`, an error that it does not list is an answer, unless the
 * default rule ignores it; without `on`, the default rule decides.
 */
export class Classifier implements OutcomeRule {
  private readonly ignore: readonly Predicate[];
  private readonly skip: readonly Predicate[];
  private readonly on: readonly Predicate[] | undefined;
  private readonly onResult: Predicate | undefined;

  constructor({ ignore = [], skip = [], on, onResult }: ResultOutcomeOptions) {
    this.ignore = ignore.map(toPredicate);
    this.skip = skip.map(toPredicate);
    this.on = on?.map(toPredicate);
    this.onResult = onResult && safely(onResult);
  }

  ofError(error: unknown): Outcome {
    for (const matches of this.ignore) if (matches(error)) return 'ignored';
    for (const matches of this.skip) if (matches(error)) return 'success';
    if (this.on === undefined) return defaultOutcome(error);
    for (const matches of this.on) if (matches(error)) return 'failure';
    return defaultOutcome(error) === 'ignored' ? 'ignored' : 'success';
  }

  ofResult(result: unknown): Outcome {
    const { onResult } = this;
    if (onResult === undefined) return 'success';
    return outcomeOfResult(result, (shown) => (onResult(shown) ? 'failure' : 'success'));
  }
}
