import { print } from '../lib/output.js';
import { Report } from '../lib/report.js';
import { type Cells, table } from '../lib/table.js';
import type { Firing } from './own-prometheus.js';

/** When an outage began and ended, milliseconds since 1970. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

interface Row {
  readonly alert: string;
  readonly duringOutage: boolean;
  /** Seconds since the outage began. */
  readonly firedAfter: number;
  /** Seconds since the outage was over; undefined while it fires. */
  readonly resolvedAfter: number | undefined;
}

/** The alerts of an outage, beside those that are expected. */
export class AlertReport extends Report {
  readonly rows: Row[] = [];

  /** Compares all that have fired. @param stillFiring the names of those that have not been resolved */
  compare(
    expected: readonly string[],
    firings: readonly Firing[],
    stillFiring: readonly string[],
    outage: Outage,
  ): void {
    this.rows.push(
      ...firings.map(({ alert, from, to }) => ({
        alert,
        duringOutage: from >= outage.from && from <= outage.to,
        firedAfter: (from - outage.from) / 1_000,
        resolvedAfter: stillFiring.includes(alert) ? undefined : (to - outage.to) / 1_000,
      })),
    );
    this.rows.sort((one, other) => one.firedAfter - other.firedAfter);
    for (const alert of expected) this.expect(alert);
    const others = this.rows.map(({ alert }) => alert).filter((name) => !expected.includes(name));
    this.check('all along', 'no other alert fires', others.length === 0, others.join());
  }

  private expect(name: string): void {
    const row = this.rows.find(({ alert }) => alert === name);
    this.check(
      name,
      'fires during the outage, and is resolved after it',
      row !== undefined && row.duringOutage && (row.resolvedAfter ?? -1) >= 0,
      row === undefined ? 'it has not fired' : brief(row),
    );
  }

  override printTables(): void {
    const head: Cells = ['alert', 'fired after', 'resolved after'];
    const rows = this.rows.map(({ alert, firedAfter, resolvedAfter }): Cells => [
      alert,
      seconds(firedAfter),
      resolvedAfter === undefined ? 'still fires' : seconds(resolvedAfter),
    ]);
    const legend = 'fired after: since the outage began; resolved after: since it was over';
    if (rows.length > 0) print(['', ...table(head, rows, [1, 2]), '', legend].join('\n'));
    super.printTables();
  }
}

function brief({ firedAfter, resolvedAfter }: Row): string {
  const end =
    resolvedAfter === undefined ? 'still fires' : `resolved after ${seconds(resolvedAfter)}`;
  return `fired after ${seconds(firedAfter)}, ${end}`;
}

function seconds(count: number): string {
  return `${Math.round(count)} s`;
}
