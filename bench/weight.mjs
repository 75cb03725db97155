// npm run bench:weight: the weight of breakers and commands, the time to find one, and how long the stream blocks the
// event loop.
//
//   node --expose-gc bench/weight.mjs [--json] [--check] [--readme]
//
// --check exits with 1 unless all claims of bench/README.md about weight hold; because of noise, times are measured up
// to eight times before a claim fails. --readme puts the results into bench/README.md.
import 'reflect-metadata';
import { availableParallelism } from 'node:os';
import { readOptions, tell } from './options.mjs';
import { judgeWeight, weightReport, withWeight } from './weight-report.mjs';
import { setUp } from './setup.mjs';

const MEASUREMENTS = 8;

const options = readOptions();
if (globalThis.gc === undefined) throw new Error('bench/weight.mjs needs node --expose-gc');

await setUp();
const { weights } = await import('./weight/weights.mjs');
const { capped } = await import('./weight/capped.mjs');
const { lookup } = await import('./weight/lookup.mjs');
const { stream } = await import('./weight/stream.mjs');

const results = {
  node: process.versions.node,
  machine: `${availableParallelism()}-core`,
  ...(await weights()),
  ...(await capped()),
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
