// npm run bench: the cost that the library adds to a call, and the cost that a fleet adds to that.
//
//   node bench/run.mjs [--json] [--check] [--readme] [--rounds 200] [--only calls|fleet]
//
// --json prints the results as JSON. --check exits with 1 unless all claims of bench/README.md hold; because of noise it
// measures up to five times before a ratio fails, and then prints the last measurement. --readme puts the results into
// bench/README.md.
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { fleetReport, withFleet } from './fleet-report.mjs';
import { readOptions, tell } from './options.mjs';
import { report, withResults } from './report.mjs';
import { setUp } from './setup.mjs';

const MEASUREMENTS = 5;

const texts = {
  calls: { report, withResults },
  fleet: { report: fleetReport, withResults: withFleet },
};

const options = readOptions({
  rounds: { type: 'string', default: '200' },
  only: { type: 'string' },
});
const rounds = Number(options.rounds);
if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds needs a whole number');
const parts = options.only === undefined ? Object.keys(texts) : [options.only];
if (!parts.every((part) => part in texts)) throw new Error('--only takes calls or fleet');

await setUp();
const results = {
  node: process.versions.node,
  machine: `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores`,
  rounds,
};
for (const part of parts) {
  results[part] = options.check ? checkedResults(part) : resultsOfOneMeasurement(part);
}
tell(results, options, {
  report: () => parts.map((part) => texts[part].report(of(part))).join('\n\n'),
  withResults: (readme) =>
    parts.reduce((text, part) => texts[part].withResults(text, of(part)), readme),
  ok: parts.every((part) => results[part].checks.every(({ holds }) => holds)),
});

/** The results of a part, with those of all. */
function of(part) {
  return { ...results, ...results[part] };
}

/**
 * Of several measurements, until each claim has held in one of them. Each is made by a process of its own, since the same
 * code may be a tenth faster in one than in another, depending on its place in memory.
 */
function checkedResults(part) {
  const held = new Map();
  let measured;
  for (let left = MEASUREMENTS; left > 0; left--) {
    measured = resultsOfOneMeasurement(part);
    for (const check of measured.checks) {
      if (check.holds && !held.has(check.claim)) held.set(check.claim, check);
    }
    // Counts have no noise.
    if (measured.checks.some(({ counted, holds }) => counted && !holds)) return measured;
    if (held.size === measured.checks.length) break;
  }
  return { ...measured, checks: measured.checks.map((check) => held.get(check.claim) ?? check) };
}

function resultsOfOneMeasurement(part) {
  const file = fileURLToPath(new URL(`${part}.mjs`, import.meta.url));
  const stdio = ['ignore', 'pipe', 'inherit'];
  return JSON.parse(
    execFileSync(process.execPath, [file, options.rounds], { stdio, encoding: 'utf8' }),
  );
}
