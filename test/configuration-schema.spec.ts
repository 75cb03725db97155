import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationSchema } from './support/schema/schema.js';

/*
 * schema.json is made from the shapes of the options and from their comments. After a change: npm run schema
 */

const FILE = join(__dirname, '../schema.json');

describe('schema.json', () => {
  it('says what the options and their comments say', async () => {
    const text = JSON.stringify(configurationSchema(), null, 2);
    if (process.env.UPDATE_SCHEMA) writeFileSync(FILE, `${text}\n`);
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(JSON.parse(text));
  });
});
