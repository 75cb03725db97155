import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A table as prettier writes it: every column as wide as its widest cell. */
export function markdown(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [line(rows[0]!), line(rule), ...rows.slice(1).map(line)].join('\n');
}

/**
 * Expects that the generated part of a page of `docs` is up to date; with `UPDATE_DOCS=1`, brings it up to date.
 *
 * @param source as in the marker at its beginning: `<!-- generated from …: begin -->`
 */
export function expectGenerated(page: string, source: string, text: string): void {
  const path = join(__dirname, '../../docs', page);
  const old = readFileSync(path, 'utf8');
  const marker = `<!-- generated from ${source}: begin -->\n\n`;
  const begin = old.indexOf(marker) + marker.length;
  const end = old.indexOf('\n\n<!-- generated: end -->', begin);
  expect(begin).toBeGreaterThan(marker.length);
  expect(end).toBeGreaterThanOrEqual(begin);
  const updated = old.slice(0, begin) + text + old.slice(end);
  if (process.env.UPDATE_DOCS) writeFileSync(path, updated);
  else expect(old).toBe(updated);
}
