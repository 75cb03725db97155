import { isResilienceError } from '../errors.js';
import type { Outcome } from './outcome.js';
import { type OutcomeTable, lookUpIn } from './table.js';
import { tables } from './tables/index.js';

/** Neighbouring tables that recognize errors in the same way share one lookup. */
const lookUps = tables
  .reduce<[OutcomeTable, ...OutcomeTable[]][]>((groups, table) => {
    const group = groups.at(-1);
    if (group?.[0].keysOf === table.keysOf) group.push(table);
    else groups.push([table]);
    return groups;
  }, [])
  .map(lookUpIn);

/**
 * The default rule: the first table that recognizes the error decides. An error that no table recognizes is a failure, even
 * if it is not an `Error`. Never throws, whatever the error is.
 */
export function defaultOutcome(error: unknown): Outcome {
  for (const lookUp of lookUps) {
    const outcome = lookUp(error);
    if (outcome !== undefined) return outcome;
  }
  return 'failure';
}

/**
 * Whether an error is a failure by the default rule: sending fewer requests, or sending them later, could have avoided it,
 * or the error is unknown. Use it in `on` lists that extend the rule.
 *
 * @example
 * \@Retry({ on: [isFailure, DeadlockError] })
 */
export function isFailure(error: unknown): boolean {
  return defaultOutcome(error) === 'failure';
}

/** Whether an error is one of our own rejections that counts as a failure of the dependency: a timeout. */
export function isOwnFailure(error: unknown): boolean {
  return isResilienceError(error) && isFailure(error);
}
