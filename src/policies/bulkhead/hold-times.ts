/** Weight of a new duration in the mean. */
const WEIGHT = 0.1;

/** Assumed time for which a place is held, before any has been given back, milliseconds. */
const UNKNOWN_HOLD = 1_000;

/** How long places are held: an exponentially weighted mean. */
export class HoldTimes {
  private mean: number | undefined = undefined;

  record(heldMs: number): void {
    const { mean } = this;
    this.mean = mean === undefined ? heldMs : mean + (heldMs - mean) * WEIGHT;
  }

  /** The time until `waiting` calls and one more have had a place, given the number of places, milliseconds. */
  expectedWait(waiting: number, places: number): number {
    return ((this.mean ?? UNKNOWN_HOLD) * (waiting + 1)) / Math.max(1, places);
  }
}
