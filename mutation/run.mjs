// npm run mutation: changes the sources in thousands of small ways and checks whether a test notices each.
//
//   node mutation/run.mjs [policies/retry ...] [--survivors] [--everywhere] [--near] [--report] [--check] [--docs]
//
// Folders or files are named below src; without names it takes everything in docs/mutation.md. --survivors retries
// only the survivors of the last run, --everywhere with all tests that reach them, however long that takes; --near takes
// only the tests beside the sources. --report tries nothing and prints the known results. --check exits with 1 unless
// each survivor has its reason in mutation/survivors.json and the score is high enough. --docs writes the scores into
// docs/mutation.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { fromRoot, installLocked, root } from '../scripts/tools.mjs';
import { judge, report, withScores } from './report.mjs';
import { Results } from './results.mjs';

const FOLDERS = ['policies', 'presets', 'pipeline', 'common', 'execution'];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    survivors: { type: 'boolean', default: false },
    everywhere: { type: 'boolean', default: false },
    near: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
  },
});

process.chdir(root);
const targets = (positionals.length ? positionals : FOLDERS).map((name) => {
  const path = `src/${name.replace(/^src\//, '').replace(/\/$/, '')}`;
  if (!existsSync(path)) throw new Error(`${path} does not exist`);
  return path;
});

const results = new Results();
if (!options.report) await run(options.survivors ? results.survivors(targets) : all());
const verdict = judge(results.of(targets), results.missing(targets));
console.log(report(verdict));
if (options.docs) {
  const page = fromRoot('docs', 'mutation.md');
  writeFileSync(page, withScores(readFileSync(page, 'utf8'), judge(results.of(['src']), [])));
}
if (options.check && !verdict.ok) process.exitCode = 1;

function all() {
  const sources = targets.map((path) => (path.endsWith('.ts') ? path : `${path}/**/*.ts`));
  return [...sources, '!src/**/*.spec.ts'];
}

async function run(mutate) {
  if (mutate.length === 0) return;
  await installLocked(fromRoot('mutation'));
  setPriority(10);
  if (options.everywhere) process.env.MUTATION_EVERYWHERE = '1';
  if (options.near) process.env.MUTATION_NEAR = '1';
  const { Stryker } = await import('@stryker-mutator/core');
  await new Stryker({ configFile: 'mutation/stryker.config.mjs', mutate }).runMutationTest();
  const written = fromRoot('mutation', 'reports', 'mutation.json');
  results.take(written, targets, { whole: !options.survivors });
}
