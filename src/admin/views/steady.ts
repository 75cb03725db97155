/** Two readings of one instant differ by a few milliseconds. */
const SAME = 250;

/** For an instant that is computed from a duration each time: keeps the previous value, unless it has really changed. */
export function steady(before: number | undefined, instant: number, differing = SAME): number {
  const rounded = Math.round(instant);
  return before !== undefined && Math.abs(before - rounded) < differing ? before : rounded;
}
