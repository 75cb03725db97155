import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** --json, --check and --readme, and `more` that a benchmark has of its own. */
export function readOptions(more = {}) {
  const flag = { type: 'boolean', default: false };
  return parseArgs({ options: { json: flag, check: flag, readme: flag, ...more } }).values;
}

/**
 * Prints the results; with --readme they go into bench/README.md, and with --check the process ends with 1 unless they
 * are `ok`.
 */
export function tell(results, { json, check, readme }, { report, withResults, ok }) {
  console.log(json ? JSON.stringify(results, null, 2) : report(results));
  if (readme) {
    const file = new URL('README.md', import.meta.url);
    writeFileSync(file, withResults(readFileSync(file, 'utf8'), results));
  }
  if (check && !ok) process.exitCode = 1;
}
