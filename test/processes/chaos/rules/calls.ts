import type { Entry } from '../entries.js';
import type { Rule } from '../book.js';

/** Circuits of healthy dependencies. */
const SOUND = ['steady', 'held'];

/** No call fails or hangs because of the store, and nothing else goes wrong in a process. */
export class Calls implements Rule {
  readonly title = 'calls';
  readonly expected = 'none fails, hangs or waits longer than its limits because of the store';
  private made = 0;
  private answered = 0;
  private overMs = 0;

  see(entry: Entry): string | undefined {
    if (entry.type === 'wrong') return `${entry.from}: ${entry.what}`;
    if (entry.type === 'state' && SOUND.includes(entry.name) && entry.to !== 'closed') {
      return `${entry.from}: ${entry.name} is ${entry.to}, ${entry.reason}`;
    }
    if (entry.type === 'calls') {
      this.made += sum(entry.made);
      this.answered += sum(entry.answered);
      this.overMs = Math.max(this.overMs, entry.overMs);
    }
    return;
  }

  get tried(): number {
    return this.made;
  }

  found(): string {
    return `${this.made} calls, ${this.answered} answered, ${this.overMs} ms beyond a limit at most`;
  }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
