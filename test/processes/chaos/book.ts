import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { type Entry, type Fact, machineNow } from './entries.js';

/** Something that must always hold, checked against what the processes write down. */
export interface Rule {
  readonly title: string;
  readonly expected: string;
  /** Takes the next entry, in the order of time. @returns how the entry breaks the rule */
  see(entry: Entry): string | undefined;
  /** How often it was put to the test; `undefined` if a short run may miss it. */
  readonly tried: number | undefined;
  /** For the report: how often it was checked, and the like. */
  found(): string;
}

/** Entries older than this are complete, milliseconds. */
const SETTLED = 500;

const buffer = Buffer.alloc(1 << 20);

/** Reads what the processes write down, and shows it to the rules in the order of time. */
export class Book {
  readonly breaches: { readonly rule: Rule; readonly what: string; readonly at: number }[] = [];
  private readonly pages: Page[] = [];
  private pending: Entry[] = [];
  entries = 0;

  constructor(private readonly rules: readonly Rule[]) {}

  add(path: string): void {
    this.pages.push(new Page(path));
  }

  /** The experiment writes down something itself. */
  note(fact: Fact): void {
    this.pending.push({ at: machineNow(), from: 'chaos', ...fact });
  }

  /** @param all whether nothing more will be written */
  read(all = false): void {
    const until = all ? Infinity : machineNow() - SETTLED;
    for (const page of this.pages) this.pending.push(...page.read());
    this.pending.sort((one, other) => one.at - other.at);
    let next = 0;
    for (; next < this.pending.length && this.pending[next]!.at <= until; next++) {
      this.show(this.pending[next]!);
    }
    this.pending = this.pending.slice(next);
  }

  private show(entry: Entry): void {
    this.entries += 1;
    for (const rule of this.rules) {
      const what = rule.see(entry);
      if (what !== undefined) this.breaches.push({ rule, what, at: entry.at });
    }
  }
}

/** The end of a file that grows. */
class Page {
  private position = 0;
  private rest = '';

  constructor(private readonly path: string) {}

  read(): Entry[] {
    if (!existsSync(this.path)) return [];
    const file = openSync(this.path, 'r');
    let text = this.rest;
    try {
      for (;;) {
        const count = readSync(file, buffer, 0, buffer.length, this.position);
        if (count === 0) break;
        this.position += count;
        text += buffer.toString('latin1', 0, count);
      }
    } finally {
      closeSync(file);
    }
    const lines = text.split('\n');
    this.rest = lines.pop()!;
    return lines.map((line) => JSON.parse(line) as Entry);
  }
}
