import { isResilienceError } from '../errors.js';
import type { Outcome } from './outcome.js';
import { type OutcomeTable, lookUpIn } from './table.js';
import { tables } from './tables/index.js';

/** Neighbours that know errors in the same way are looked up at once. */
const lookUps = tables
  .reduce<[OutcomeTable, ...OutcomeTable[]][]>((groups, table) => {
    const group = groups.at(-1);
    if (group?.[0].keysOf === table.keysOf) group.push(table);
    else groups.push([table]);
    return groups;
  }, [])
  .map(lookUpIn);

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

/** Whether a rejection of ours says that the dependency was too slow, not that its caller has gone or may not ask it. */
export function isOwnFailure(error: unknown): boolean {
  return isResilienceError(error) && isFailure(error);
}
