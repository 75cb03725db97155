import type { Entry } from '../entries.js';
import type { Rule } from '../book.js';

/** A single instance in trouble does not open a circuit of the others that needs a quorum. */
export class Votes implements Rule {
  readonly title = 'an outage that one instance alone sees';
  readonly expected = 'opens its own circuit, and none of the others: two votes are needed';
  /** Such an outage comes by chance. */
  readonly tried = undefined;
  private alone: string | undefined;
  private outages = 0;
  private opened = 0;

  see(entry: Entry): string | undefined {
    if (entry.type === 'lone-outage') {
      this.alone = entry.instance;
      if (entry.instance !== undefined) this.outages += 1;
    }
    if (entry.type !== 'state' || entry.name !== 'voted' || this.alone === undefined) return;
    if (entry.to !== 'open') return;
    if (entry.from !== this.alone) return `${entry.from} opens too: ${entry.reason}`;
    this.opened += 1;
    return;
  }

  found(): string {
    return `${this.outages} outages, opened ${this.opened} times`;
  }
}
