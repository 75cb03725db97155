import { RollingWindow, type Span } from './rolling-window.js';

export const LAST_10_SECONDS: Span = { duration: 10_000, slices: 10 };

/** The most frequent event: `MetricEvent.success`. */
const FIRST = 0;

/** The column for the peak of a slice, beside those of the events, which are numbered from 0. */
const PEAK = 15;

/**
 * The columns of a table and their positions, since few tables have all. Tables with the same columns share one object.
 */
class Layout {
  private static readonly known = new Map<number, Layout>();
  static readonly empty = Layout.of(0);

  /** Position of each column in a row; -1 when there is no such column. */
  readonly at: readonly number[];
  /** Columns per row. */
  readonly width: number;

  /** @param columns one bit per column */
  private constructor(private readonly columns: number) {
    let width = 0;
    this.at = Array.from({ length: PEAK + 1 }, (_, column) => (this.has(column) ? width++ : -1));
    this.width = width;
  }

  private static of(columns: number): Layout {
    let layout = this.known.get(columns);
    if (layout === undefined) this.known.set(columns, (layout = new Layout(columns)));
    return layout;
  }

  with(column: number): Layout {
    return Layout.of(this.columns | (1 << column));
  }

  /** Converts the rows of a table from this layout to one with more columns. */
  extend(cells: readonly number[], rows: number, { at, width }: Layout): number[] {
    const extended = new Array<number>(rows * width).fill(0);
    this.at.forEach((from, column) => {
      if (from < 0) return;
      for (let row = 0; row < rows; row++) {
        extended[row * width + at[column]!] = cells[row * this.width + from]!;
      }
    });
    return extended;
  }

  private has(column: number): boolean {
    return (this.columns & (1 << column)) !== 0;
  }
}

const NOTHING: number[] = [];

/**
 * Counts of events within a window, numbered from 0 to 14, and the most calls that ran at a time.
 *
 * A table with a row per slice, in a ring, and a column only for events that have happened. A plain array, because small
 * ones take less memory than typed arrays.
 */
export class RollingCounts extends RollingWindow {
  private layout = Layout.empty;
  private cells = NOTHING;
  /** The row of the newest slice. */
  private row = 0;
  /** Successes of the newest slice, put into the table when it ends: most calls change nothing else. */
  private newestFirsts = 0;
  private newestPeak = 0;
  private running = 0;

  constructor(now: number, span = LAST_10_SECONDS) {
    super(span, now);
  }

  add(event: number, now: number): void {
    this.expire(now);
    this.raise(event);
  }

  sum(event: number, now: number): number {
    this.expire(now);
    const { cells, layout } = this;
    const column = layout.at[event]!;
    let sum = event === FIRST ? this.newestFirsts : 0;
    if (column < 0) return sum;
    for (let cell = column; cell < cells.length; cell += layout.width) sum += cells[cell]!;
    return sum;
  }

  begin(now: number): void {
    this.expire(now);
    this.running += 1;
    if (this.running > this.newestPeak) this.newestPeak = this.running;
  }

  /** Ends a call. It ran up to `now`, so it counts towards the peaks of the slices that have passed meanwhile. */
  end(event: number, now: number): void {
    this.expire(now);
    if (this.running > 0) this.running -= 1;
    this.raise(event);
  }

  get concurrency(): number {
    return this.running;
  }

  /** The most calls that ran at a time within the window. */
  peak(now: number): number {
    this.expire(now);
    const { cells, layout } = this;
    let peak = this.newestPeak;
    const column = layout.at[PEAK]!;
    if (column < 0) return peak;
    for (let cell = column; cell < cells.length; cell += layout.width) {
      peak = Math.max(peak, cells[cell]!);
    }
    return peak;
  }

  protected override forget(passed: number): void {
    const { slices } = this.span;
    if (passed >= slices && this.running === 0) return this.empty();
    for (let left = Math.min(passed, slices); left > 0; left--) {
      this.put(FIRST, this.newestFirsts);
      this.put(PEAK, this.newestPeak);
      this.row = this.row + 1 === slices ? 0 : this.row + 1;
      const first = this.row * this.layout.width;
      this.cells.fill(0, first, first + this.layout.width);
      this.newestFirsts = 0;
      this.newestPeak = this.running;
    }
  }

  private empty(): void {
    this.layout = Layout.empty;
    this.cells = NOTHING;
    this.newestFirsts = 0;
    this.newestPeak = 0;
  }

  private put(column: number, value: number): void {
    if (value === 0) return;
    const cell = this.cellOf(column); // may replace `this.cells`
    this.cells[cell] = value;
  }

  private raise(event: number): void {
    if (event === FIRST) {
      this.newestFirsts += 1;
      return;
    }
    const cell = this.cellOf(event); // may replace `this.cells`
    this.cells[cell]! += 1;
  }

  /** The cell of a column in the newest row. */
  private cellOf(column: number): number {
    const { layout, row } = this;
    const at = layout.at[column]!;
    return at < 0 ? this.extend(column) : row * layout.width + at;
  }

  /** Adds a column. @returns its cell in the newest row */
  private extend(column: number): number {
    const { layout, cells } = this;
    this.layout = layout.with(column);
    this.cells = layout.extend(cells, this.span.slices, this.layout);
    return this.row * this.layout.width + this.layout.at[column]!;
  }
}
