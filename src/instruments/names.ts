/** Stands for all names beyond the limit. */
export const OTHER = 'other';

/**
 * The values of the label `name`. Those that are known at bootstrap all have series of their own; of later ones (keys,
 * commands made while the application runs) only the first `limit`. The rest is summed as `other`.
 */
export class Names {
  private readonly known = new Set<string>();
  private later = 0;

  constructor(private readonly limit: number) {}

  /** Adds a name that is known at bootstrap. */
  declare(name: string): void {
    this.known.add(name);
  }

  /** The label for a name. */
  of(name: string): string {
    if (this.known.has(name)) return name;
    if (this.later >= this.limit) return OTHER;
    this.later += 1;
    this.known.add(name);
    return name;
  }
}
