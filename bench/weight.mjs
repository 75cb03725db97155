// npm run bench:weight: the weight of breakers and commands, the time to find one, and how long the stream blocks the
// event loop.
//
//   node --expose-gc bench/weight.mjs [--json] [--check] [--readme]
//
// --check exits with 1 unless all claims of bench/README.md about weight hold; because of noise, times are measured up
// to five times before a claim fails. --readme puts the results into bench/README.md.
import 'reflect-metadata';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { judgeWeight, weightReport, withWeight } from './weight-report.mjs';
import { setUp } from './setup.mjs';

const MEASUREMENTS = 5;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
  },
});
if (globalThis.gc === undefined) throw new Error('weights want node --expose-gc');

await setUp();
const { weights } = await import('./weight/weights.mjs');
const { lookup } = await import('./weight/lookup.mjs');
const { stream } = await import('./weight/stream.mjs');

const results = {
  node: process.versions.node,
  machine: `${availableParallelism()}-core`,
  ...(await weights()),
};
for (let left = options.check ? MEASUREMENTS : 1; left > 0; left--) {
  for (const [name, value] of Object.entries({ ...(await lookup()), ...(await stream()) })) {
    results[name] = Math.min(results[name] ?? Infinity, value);
  }
  if (judgeWeight(results).every(({ holds }) => holds)) break;
}
results.checks = judgeWeight(results);
console.log(options.json ? JSON.stringify(results, null, 2) : weightReport(results));
if (options.readme) {
  const file = new URL('README.md', import.meta.url);
  writeFileSync(file, withWeight(readFileSync(file, 'utf8'), results));
}
if (options.check && results.checks.some(({ holds }) => !holds)) process.exitCode = 1;
