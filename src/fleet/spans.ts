/** How long a store keeps a circuit after the last of its deadlines, milliseconds. */
export const KEEP_MS = 3_600_000;

/** Ten years: used for all longer times, endless ones included, milliseconds. */
const LONGEST_MS = 315_360_000_000;

/** A duration in the form of stores: whole milliseconds, rounded up. */
export function span(ms: number): number {
  return ms > 0 ? Math.min(Math.ceil(ms), LONGEST_MS) : 0;
}

/** Votes that open a circuit in a fleet of `living` instances. */
export function votesNeeded(
  { minVotes, share }: { readonly minVotes: number; readonly share: number },
  living: number,
): number {
  // A share of 0.1 of 30 instances is 3, although 0.1 * 30 is slightly more.
  return Math.max(1, minVotes, Math.ceil(share * living - 1e-9));
}
