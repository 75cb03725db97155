/** The limits of the shared parts, for the instances that keep to them and for the rules that check it. */

export const PREFIX = 'resilience:';

/** Of the fleet, milliseconds. */
export const FLEET = {
  pollInterval: 2_000,
  activePollInterval: 500,
  callTimeout: 50,
  backgroundTimeout: 250,
} as const;

/** Times of turns in the background differ by this share. */
export const JITTER = 0.2;

/** Open times, milliseconds. */
export const OPEN_FOR = 400;

/** How long the state may take until it is the same everywhere, milliseconds: two polls. */
export const TWO_POLLS = 2 * FLEET.pollInterval * (1 + JITTER);

export const PROBES = 2;

/** How long a vote counts, milliseconds. */
export const VOTE = 2_000;

/** Rate limits: calls per second, and at once. */
export const RATES = {
  limited: { limit: 60, burst: 20, maxWait: 0 },
  patient: { limit: 40, burst: 5, maxWait: 200 },
} as const;

/** Bulkheads: places, and how long they are held, milliseconds. */
export const PLACES = {
  places: { maxConcurrent: 4, maxQueue: 5, maxWait: 500, hold: [20, 120] },
  halls: { maxConcurrent: 3, maxQueue: 0, maxWait: 0, hold: [4_000, 7_000] },
} as const;

/** How long a place is held without a sign of life, milliseconds. */
export const LEASE = 15_000;

export type PlacesName = keyof typeof PLACES;
export type RateName = keyof typeof RATES;
