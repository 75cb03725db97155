/** The counts of a part since it was made. */
export type Totals = Readonly<Record<string, number>>;

/**
 * How much the totals of parts have grown beyond the highest that were read. Parts that share a name in the metrics come and
 * go, as keyed ones do, so that the sum of their totals may fall. So may a total: a probe that is judged late ends the time in
 * its state earlier than was read. A counter must not fall.
 */
export class Growth {
  private readonly highest = new WeakMap<object, Totals>();

  /** @returns the totals of a part, less the highest that were given with it before; never below 0 */
  of(part: object, totals: Totals): Totals {
    const before = this.highest.get(part);
    if (before === undefined) {
      this.highest.set(part, totals);
      return totals;
    }
    const highest = mapped(totals, (total, name) => Math.max(total, before[name]!));
    this.highest.set(part, highest);
    return mapped(highest, (total, name) => total - before[name]!);
  }
}

function mapped(totals: Totals, change: (total: number, name: string) => number): Totals {
  return Object.fromEntries(
    Object.entries(totals).map(([name, total]) => [name, change(total, name)]),
  );
}
