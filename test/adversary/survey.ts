import type { WorldReport } from './run.js';
import type { WorldSeed } from './world.js';

/** Violations of one kind, for any parts and numbers. */
function kindOf(violation: string): string {
  const plain = violation.split('\n')[0]!.replace(/\b[SbhP]\d[\w.[\]*]*/g, 'x');
  return plain.replace(/\d+/g, '#').slice(0, 150);
}

interface Kind {
  count: number;
  readonly first: string;
  readonly seed: WorldSeed;
}

/** Collects all findings instead of stopping at the first, to show their number and kinds. */
export class Survey {
  private readonly kinds = new Map<string, Kind>();

  add({ violations }: WorldReport, seed: WorldSeed): void {
    for (const first of violations) {
      const kind = this.kinds.get(kindOf(first)) ?? { count: 0, first, seed };
      kind.count += 1;
      this.kinds.set(kindOf(first), kind);
    }
  }

  /** Each kind with an example and the smallest number that shows it: `ADVERSARY_WORLD` runs it again. */
  toString(): string {
    const all = [...this.kinds].sort(([, a], [, b]) => b.count - a.count);
    return all
      .map(
        ([what, { count, first, seed }]) =>
          `${count}× ${what}\n  ${first}\n  ${JSON.stringify(seed)}`,
      )
      .join('\n\n');
  }
}
