import { look, lookAtItems } from './look.js';
import { lookUpIn } from './table.js';
import { networkTables } from './tables/network.js';
import { programmer } from './tables/programmer.js';

/** More causes than any real error has, so that a made-up chain ends too. */
const MOST_CAUSES = 50;

const network = lookUpIn(networkTables);
const wrongUse = lookUpIn([programmer]);

/**
 * Whether one of the causes of `error`, however deep, has a network error code: the cause of `fetch failed` does, or is an
 * `AggregateError` with one error per address. The search does not go beyond a cause with a code of wrong use
 * (`ERR_INVALID_URL`).
 */
export function hasNetworkCause(error: unknown): boolean {
  const seen = new Set<unknown>();
  const waiting: unknown[] = [look(error, 'cause')];
  while (waiting.length > 0 && seen.size < MOST_CAUSES) {
    const cause = waiting.pop();
    if (typeof cause !== 'object' || cause === null || seen.has(cause)) continue;
    seen.add(cause);
    if (network(cause) !== undefined) return true;
    if (wrongUse(cause) !== undefined) continue;
    waiting.push(look(cause, 'cause'), ...lookAtItems(look(cause, 'errors'), MOST_CAUSES));
  }
  return false;
}
