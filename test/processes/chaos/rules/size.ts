import type { Entry } from '../entries.js';
import type { Rule } from '../book.js';

/** The number of callers in one instance. */
const CALLERS = 22;

/** The permitted growth of a heap, including code that is compiled later, megabytes. */
const GROWTH = 20;

/** Neither memory nor calls pile up, however long the store is away. */
export class Size implements Rule {
  readonly title = 'size of an instance';
  readonly expected = `at most ${CALLERS} calls at a time, ${GROWTH} MB more on the heap than at its start`;
  private readonly first = new Map<string, number>();
  tried = 0;
  private growth = 0;
  private pending = 0;

  see(entry: Entry): string | undefined {
    if (entry.type !== 'size') return;
    this.tried += 1;
    const { from, heapMb, pending } = entry;
    if (!this.first.has(from)) this.first.set(from, heapMb);
    const growth = heapMb - this.first.get(from)!;
    this.growth = Math.max(this.growth, growth);
    this.pending = Math.max(this.pending, pending);
    if (growth > GROWTH) return `${from} has grown by ${growth.toFixed(1)} MB`;
    if (pending > CALLERS) return `${from} has ${pending} calls under way`;
    return;
  }

  found(): string {
    return `${this.pending} calls at a time, ${this.growth.toFixed(1)} MB more at most`;
  }
}
