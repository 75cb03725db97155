import type { AdminLine, AdminSample, AdminSeries } from '../contract.js';

/** Time between two numbers, milliseconds. */
export const STEP = 5_000;

/** How many numbers a line has: a quarter of an hour. */
export const STEPS = 180;

/** The numbers of one step, by line. */
export type Values = { readonly [Line in AdminLine]?: number };

/** The last quarter of an hour of one part. Its weight does not depend on the calls: 720 bytes a line. */
export class Series {
  private readonly columns = new Map<AdminLine, Float32Array>();
  /** Where the next number goes. */
  private next = 0;
  private length = 0;
  /** How many steps in a row were all zeros. */
  private zeros = 0;

  constructor(
    private readonly part: AdminSeries['part'],
    private readonly name: string,
  ) {}

  /** @returns the step, unless it is all zeros */
  push(values: Values): AdminSample | undefined {
    const entries = Object.entries(values) as [AdminLine, number][];
    for (const [line, value] of entries) {
      let column = this.columns.get(line);
      if (column === undefined) this.columns.set(line, (column = new Float32Array(STEPS)));
      column[this.next] = value;
    }
    this.next = (this.next + 1) % STEPS;
    this.length = Math.min(this.length + 1, STEPS);
    const silent = entries.every(([, value]) => value === 0);
    this.zeros = silent ? this.zeros + 1 : 0;
    return silent ? undefined : { part: this.part, name: this.name, values };
  }

  /** The sum of the latest numbers of a line. */
  sum(line: AdminLine, steps: number): number {
    const column = this.columns.get(line);
    if (column === undefined) return 0;
    let sum = 0;
    for (let back = 1; back <= Math.min(steps, this.length); back++) {
      sum += column[(this.next - back + STEPS) % STEPS]!;
    }
    return sum;
  }

  /** A step without anything. */
  get zero(): Values {
    return Object.fromEntries(Array.from(this.columns.keys(), (line) => [line, 0]));
  }

  /** Whether it contains only zeros. */
  get silent(): boolean {
    return this.zeros >= this.length;
  }

  /** @param until the instant of the latest step */
  view(until: number): AdminSeries {
    const { part, name, length, next } = this;
    const first = (next - length + STEPS) % STEPS;
    const values: { [Line in AdminLine]?: number[] } = {};
    for (const [line, column] of this.columns) {
      values[line] = Array.from({ length }, (_, at) => round(column[(first + at) % STEPS]!));
    }
    return { part, name, until, stepMs: STEP, values };
  }
}

/** Three decimal places are enough for a plot. */
export function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
