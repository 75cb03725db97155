import { print } from './output.js';
import { type Cells, table } from './table.js';

export interface Check {
  readonly situation: string;
  readonly expected: string;
  readonly holds: boolean;
  readonly found: string;
}

/** The observations of an experiment, beside the expectations. */
export class Report {
  readonly checks: Check[] = [];

  get holds(): boolean {
    return this.checks.every((check) => check.holds);
  }

  progress(text: string): void {
    print(`... ${text}`);
  }

  check(situation: string, expected: string, holds: boolean, found: string): void {
    this.checks.push({ situation, expected, holds, found });
  }

  printTables(expected = 'expected'): void {
    const rows = this.checks.map((check): Cells => [
      check.holds ? 'ok' : 'NO',
      check.situation,
      check.expected,
      check.found,
    ]);
    print(['', ...table(['', 'situation', expected, 'found'], rows)].join('\n'));
  }
}
