import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tables } from './tables/index.js';

// docs/outcomes.md shows the tables that the code uses. After a change: UPDATE_DOCS=1 npx jest outcome-table

const PAGE = join(__dirname, '../../../docs/outcomes.md');
const BEGIN = '<!-- generated from src/common/outcomes/tables: begin -->\n\n';
const END = '\n\n<!-- generated: end -->';

/** As prettier writes it: every column as wide as its widest cell. */
function markdown(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [line(rows[0]!), line(rule), ...rows.slice(1).map(line)].join('\n');
}

function generated(): string {
  const known = tables.map(({ client, recognized, source }) => [
    `[${client}](${source})`,
    recognized,
  ]);
  const rows = tables.flatMap((table) =>
    table.rows.map(({ keys, outcome, meaning }) => [
      table.client,
      keys.map((key) => `\`${key}\``).join(', '),
      `\`${outcome}\``,
      meaning,
    ]),
  );
  return [
    markdown([['whose (source)', 'known by'], ...known]),
    markdown([['whose', 'which', 'outcome', 'meaning'], ...rows]),
  ].join('\n\n');
}

describe('the tables of outcomes', () => {
  it('stand in docs/outcomes.md as the code has them', () => {
    const page = readFileSync(PAGE, 'utf8');
    const begin = page.indexOf(BEGIN) + BEGIN.length;
    const end = page.indexOf(END);
    expect(begin).toBeGreaterThan(BEGIN.length);
    const updated = page.slice(0, begin) + generated() + page.slice(end);
    if (process.env.UPDATE_DOCS) writeFileSync(PAGE, updated);
    else expect(page).toBe(updated);
  });

  it('have each key once, and say where it comes from', () => {
    for (const { client, source, rows } of tables) {
      const keys = rows.flatMap((row) => row.keys);
      expect([client, new Set(keys).size]).toEqual([client, keys.length]);
      expect(source).toMatch(/^https:|^errors\.md$/);
    }
  });
});
