/** The counts of a part since it was made, always in the same order. */
export type Totals = readonly number[];

/**
 * How much the totals of parts have grown beyond the highest that were read. Parts that share a name in the metrics come and
 * go, as keyed ones do, so that the sum of their totals may fall. So may a total: a probe that is judged late ends the time in
 * its state earlier than was read. A counter must not fall.
 */
export class Growth {
  private readonly highest = new WeakMap<object, number[]>();

  /** @returns the totals of a part, less the highest that were given with it before; never below 0 */
  of(part: object, totals: Totals): Totals {
    const highest = this.highest.get(part);
    if (highest === undefined) {
      this.highest.set(part, [...totals]);
      return totals;
    }
    return totals.map((total, i) => {
      const grown = Math.max(0, total - highest[i]!);
      if (grown > 0) highest[i] = total;
      return grown;
    });
  }
}
