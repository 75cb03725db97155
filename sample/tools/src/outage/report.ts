import type { Answer } from '../lib/client.js';
import { type Cells, table } from '../lib/table.js';

export interface Row {
  readonly phase: string;
  readonly route: string;
  readonly status: number;
  readonly answer: Answer['kind'];
  readonly ageSeconds: number | undefined;
  readonly latencyMs: number;
  /** How often booksvc has tried. */
  readonly attempts: number;
  /** How often that reached storagesvc. */
  readonly calls: number;
  readonly breaker: string;
}

export interface Check {
  readonly situation: string;
  readonly expected: string;
  readonly holds: boolean;
  readonly found: string;
}

/** What the experiment has seen, and what was expected. */
export class Report {
  readonly rows: Row[] = [];
  readonly checks: Check[] = [];

  constructor(private readonly print: (text: string) => void) {}

  get holds(): boolean {
    return this.checks.every((check) => check.holds);
  }

  progress(text: string): void {
    this.print(`... ${text}`);
  }

  phase(rows: readonly Row[]): void {
    this.rows.push(...rows);
  }

  check(situation: string, expected: string, holds: boolean, found: string): void {
    this.checks.push({ situation, expected, holds, found });
  }

  /** A part of the experiment that runs beside others; what it has seen is added when it is over. */
  part(): Report {
    return new Report(this.print);
  }

  add(part: Report): void {
    this.rows.push(...part.rows);
    this.checks.push(...part.checks);
  }

  printTables(): void {
    const head: Cells = [
      'phase',
      'route',
      'status',
      'answer',
      'latency',
      'attempts',
      'calls',
      'breaker',
    ];
    const rows = this.rows.map((row, index): Cells => {
      const same = this.rows[index - 1]?.phase === row.phase;
      const age = row.ageSeconds === undefined ? '' : `, ${row.ageSeconds} s old`;
      return [
        same ? '' : row.phase,
        `GET ${row.route}`,
        String(row.status),
        `${row.answer}${age}`,
        `${Math.round(row.latencyMs)} ms`,
        String(row.attempts),
        String(row.calls),
        row.breaker,
      ];
    });
    const checks = this.checks.map(({ situation, expected, holds, found }): Cells => [
      holds ? 'ok' : 'NO',
      situation,
      expected,
      found,
    ]);
    if (rows.length > 0) {
      this.print(['', ...table(head, rows, [2, 4, 5, 6])].join('\n'));
    }
    this.print(['', ...table(['', 'situation', 'expected of GET /', 'found'], checks)].join('\n'));
  }
}
