// npm run bench:weight: what breakers and commands weigh, how long it takes to find one, and how long the stream holds
// up the event loop.
//
//   node --expose-gc bench/weight.mjs [--json] [--check] [--readme]
//
// --check exits with 1 unless all that bench/README.md claims of weight holds; because of noise, times are measured up
// to five times before it says of a claim that it does not. --readme puts the results into bench/README.md.
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
