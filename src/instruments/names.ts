/** The common label of all names beyond the limit. */
export const OTHER = 'other';

/**
 * The values of the label `name`. Those that are known at bootstrap all have series of their own; of later ones (keys,
 * commands made while the application runs) only the first `limit`. The rest is summed as `other`.
 */
export class Names {
  private readonly known = new Set<string>();
  private later = 0;
  private started = false;

  /** @param atBootstrap the names that are known so far, during bootstrap */
  constructor(
    private readonly limit: number,
    private readonly atBootstrap: () => Iterable<string>,
  ) {}

  /** Bootstrap has ended: all further names are later ones. */
  start(): void {
    this.declare();
    this.started = true;
  }

  /** The label for a name. */
  of(name: string): string {
    if (this.known.has(name)) return name;
    if (!this.started) this.declare();
    if (this.known.has(name)) return name;
    if (this.later >= this.limit) return OTHER;
    this.later += 1;
    this.known.add(name);
    return name;
  }

  private declare(): void {
    for (const name of this.atBootstrap()) this.known.add(name);
  }
}
