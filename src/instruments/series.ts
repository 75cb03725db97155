import type { Combination, Instrument } from './instrument.js';

/** The values of an instrument's labels. */
export type Labels = Readonly<Record<string, string>>;

/** One series; several applications may have an equal one. */
export interface Combinable<Self> {
  readonly labels: Labels;
  copy(): Self;
  add(other: Self, combination: Combination): void;
}

/** A number under one combination of labels. */
export class Count implements Combinable<Count> {
  constructor(
    readonly labels: Labels,
    public value = 0,
  ) {}

  copy(): Count {
    return new Count(this.labels, this.value);
  }

  add({ value }: Count, combination: Combination): void {
    this.value = combine(this.value, value, combination);
  }

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

/** The series of several applications: equal ones are combined. The results are copies, which no longer change. */
export function combined<Cell extends Combinable<Cell>>(
  all: Iterable<Iterable<Cell>>,
  combination: Combination,
): readonly Cell[] {
  const cells = new Map<string, Cell>();
  for (const each of all) {
    for (const cell of each) {
      const key = JSON.stringify(cell.labels);
      const known = cells.get(key);
      if (known === undefined) cells.set(key, cell.copy());
      else known.add(cell, combination);
    }
  }
  return [...cells.values()];
}

export function combine(one: number, other: number, combination: Combination): number {
  return combination === 'sum' ? one + other : Math.max(one, other);
}
