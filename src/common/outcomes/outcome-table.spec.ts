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
  const known = tables.map(({ client, recognized }) => [`[${client}]`, recognized]);
  const rows = tables.flatMap((table) =>
    table.rows.map(({ keys, outcome, meaning }) => [
      `[${table.client}]`,
      keys.map((key) => `\`${key}\``).join(', '),
      `\`${outcome}\``,
      meaning,
    ]),
  );
  const sources = tables.map(({ client, source }) => `[${client}]: ${source}`);
  return [
    markdown([['whose', 'known by'], ...known]),
    markdown([['whose, and its source', 'which', 'outcome', 'meaning'], ...rows]),
    sources.join('\n'),
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

  it('are of one client each, so that each row of the page leads to its source', () => {
    const clients = tables.map(({ client }) => client);
    expect(clients).toEqual([...new Set(clients)]);
  });

  it('have each key once, and say where it comes from', () => {
    for (const { client, source, rows } of tables) {
      const keys = rows.flatMap((row) => row.keys);
      expect([client, new Set(keys).size]).toEqual([client, keys.length]);
      expect(source).toMatch(/^https:|^errors\.md$/);
    }
  });
});
