import type { StateFilter } from './query.js';
import type { AdminRateLimit } from '../contract.js';
import type { BreakerPart } from './parts.js';
import { rateLimitTrouble } from './troubles.js';

/** The state that counts: the override, if there is one. */
export function stateOf({ state, override }: BreakerPart): StateFilter {
  return override?.kind ?? state;
}

/** The worst first. */
const RANKS: Readonly<Record<StateFilter, number>> = {
  open: 0,
  'forced-open': 0,
  'half-open': 1,
  'observe-only': 2,
  disabled: 2,
  closed: 3,
};

/** The items ordered by rank, and in their own order within a rank; without sorting, as there may be many. */
export class Ranking<Item> {
  private readonly ranks: Item[][] = [];

  add(item: Item, rank: number): void {
    (this.ranks[rank] ??= []).push(item);
  }

  get all(): Item[] {
    return this.ranks.flatMap((items) => items ?? []);
  }
}

export function rankOf(breaker: BreakerPart): number {
  return RANKS[stateOf(breaker)];
}

/** A rate limit that rejects many calls comes first, then those for which calls wait, then the most used up. */
export function limitRankOf(limit: AdminRateLimit): number {
  if (rateLimitTrouble(limit) !== undefined) return 0;
  if (limit.waiting > 0) return 1;
  return 2 + Math.round((limit.remaining / limit.burst) * 10);
}
