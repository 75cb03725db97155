/** The counts of a part since it was made. */
type Totals = Readonly<Record<string, number>>;

/**
 * How much the totals of parts have grown since they were read last. Parts that share a name in the metrics come and go, as
 * keyed ones do, so that the sum of their totals may fall; a counter must not.
 */
export class Growth {
  private readonly known = new WeakMap<object, Totals>();

  /** @returns the totals of a part, less those that were given with it before */
  of<T extends Totals>(part: object, totals: T): T {
    const before = this.known.get(part);
    this.known.set(part, totals);
    if (before === undefined) return totals;
    return Object.fromEntries(
      Object.entries(totals).map(([name, total]) => [name, total - before[name]!]),
    ) as T;
  }
}
