import type { Answer } from '../lib/client.js';
import { print } from '../lib/output.js';
import { Report } from '../lib/report.js';
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

/** The answers of the routes when something is taken away. */
export class OutageReport extends Report {
  readonly rows: Row[] = [];

  phase(rows: readonly Row[]): void {
    this.rows.push(...rows);
  }

  /** A part of the experiment that runs beside others; its observations are added when it is over. */
  part(): OutageReport {
    return new OutageReport();
  }

  add(part: OutageReport): void {
    this.rows.push(...part.rows);
    this.checks.push(...part.checks);
  }

  override printTables(): void {
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
    if (rows.length > 0) {
      print(['', ...table(head, rows, [2, 4, 5, 6])].join('\n'));
    }
    super.printTables('expected of GET /');
  }
}
