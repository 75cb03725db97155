import { expectGenerated, markdown } from '../../../test/support/generated-docs.js';
import { tables } from './tables/index.js';

// docs/outcomes.md shows the tables that the code uses. After a change: UPDATE_DOCS=1 npx jest outcome-table

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
  it('are the same in docs/outcomes.md as in the code', () => {
    expectGenerated('outcomes.md', 'src/common/outcomes/tables', generated());
  });

  it('cover one client each, so that each row of the page leads to its source', () => {
    const clients = tables.map(({ client }) => client);
    expect(clients).toEqual([...new Set(clients)]);
  });

  it('have each key once, and name its source', () => {
    for (const { client, source, rows } of tables) {
      const keys = rows.flatMap((row) => row.keys);
      expect([client, new Set(keys).size]).toEqual([client, keys.length]);
      expect(source).toMatch(/^https:|^errors\.md$/);
    }
  });
});
