import type { Outcome } from './outcome.js';
import { lookUpIn } from './table.js';
import { tables } from './tables/index.js';

const lookUps = tables.map(lookUpIn);

/**
 * The default rule: the first table that knows the error decides. What none knows is a failure, even if it is not an
 * `Error`. Never throws, whatever the error is.
 */
export function defaultOutcome(error: unknown): Outcome {
  for (const lookUp of lookUps) {
    const outcome = lookUp(error);
    if (outcome !== undefined) return outcome;
  }
  return 'failure';
}

/**
 * Whether an error is a failure by the default rule: sending fewer requests, or sending them later, would have
 * improved it. For lists that add to the rule.
 *
 * @example
 * \@Retry({ on: [isFailure, DeadlockError] })
 */
export function isFailure(error: unknown): boolean {
  return defaultOutcome(error) === 'failure';
}
