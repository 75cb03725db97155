/** Two readings of one instant differ by a few milliseconds. */
const SAME = 250;

/** An instant that is made from a duration each time: the one of before, unless it is another one. */
export function steady(before: number | undefined, instant: number, differing = SAME): number {
  const rounded = Math.round(instant);
  return before !== undefined && Math.abs(before - rounded) < differing ? before : rounded;
}
