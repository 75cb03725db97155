import type { Instrument } from './instrument.js';

/** The values of an instrument's labels. */
export type Labels = Readonly<Record<string, string>>;

/** A number under one combination of labels. */
export class Count {
  value = 0;

  constructor(readonly labels: Labels) {}

  reset(): void {
    this.value = 0;
  }
}

/** The series of an instrument, one for each combination of labels. */
export class Series<Cell> implements Iterable<Cell> {
  /** By the values of the first, second and third label: faster than one map of joined texts, and free of collisions. */
  private readonly cells = new Map<string, Map<string, Map<string, Cell>>>();

  constructor(
    readonly instrument: Instrument,
    private readonly make: (labels: Labels) => Cell,
  ) {}

  /** The cell for these values of the labels, in their order; made on the first use. */
  at(first: string, second = '', third = ''): Cell {
    const known = this.cells.get(first)?.get(second)?.get(third);
    return known ?? this.add(first, second, third);
  }

  *[Symbol.iterator](): IterableIterator<Cell> {
    for (const seconds of this.cells.values()) {
      for (const thirds of seconds.values()) yield* thirds.values();
    }
  }

  private add(first: string, second: string, third: string): Cell {
    const values = [first, second, third];
    const { labels } = this.instrument;
    const cell = this.make(Object.fromEntries(labels.map((label, i) => [label, values[i]!])));
    obtain(obtain(this.cells, first), second).set(third, cell);
    return cell;
  }
}

function obtain<K, V, Inner extends Map<K, V>>(outer: Map<string, Inner>, key: string): Inner {
  let inner = outer.get(key);
  if (inner === undefined) outer.set(key, (inner = new Map<K, V>() as Inner));
  return inner;
}

/** The series of several applications: equal ones are combined. */
export function combined(
  all: Iterable<Iterable<Count>>,
  combination: 'sum' | 'max',
): readonly Count[] {
  const counts = new Map<string, Count>();
  for (const each of all) {
    for (const { labels, value } of each) {
      const key = JSON.stringify(labels);
      const known = counts.get(key);
      const count = known ?? new Count(labels);
      count.value = known === undefined ? value : combine(known.value, value, combination);
      if (known === undefined) counts.set(key, count);
    }
  }
  return [...counts.values()];
}

export function combine(one: number, other: number, combination: 'sum' | 'max'): number {
  return combination === 'sum' ? one + other : Math.max(one, other);
}
