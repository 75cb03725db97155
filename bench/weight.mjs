// npm run bench:weight: what breakers and commands weigh, how long it takes to find one, and how long the stream holds
// up the event loop.
//
//   node --expose-gc bench/weight.mjs [--json] [--check] [--readme]
//
// --check exits with 1 unless all that bench/README.md claims of weight holds; because of noise, times are measured up
// to five times before it says of a claim that it does not. --readme puts the results into bench/README.md.
import 'reflect-metadata';
import { availableParallelism } from 'node:os';
import { readOptions, tell } from './options.mjs';
import { judgeWeight, weightReport, withWeight } from './weight-report.mjs';
import { setUp } from './setup.mjs';

const MEASUREMENTS = 5;

const options = readOptions();
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
const ok = results.checks.every(({ holds }) => holds);
tell(results, options, { report: weightReport, withResults: withWeight, ok });
