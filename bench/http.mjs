// npm run bench:http: the price of a request, by where the policies are.
//
//   node bench/http.mjs [--nodes] [--rounds 8] [--turns 8] [--json] [--check] [--readme]
//
// A round starts one server process per variant; this process sends the requests. The servers take turns of a sixth of a
// second, so whatever else the machine does affects all of them, and the best turns of all rounds count. The servers run on
// Node 24, with --nodes also on 20, 22 and 26. --readme puts the results into bench/README.md. --check exits with 1 unless
// all claims hold on Node 24.
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { arch, execPath, versions } from 'node:process';
import { capture, fromRoot, installLocked } from '../scripts/tools.mjs';
import { comparedWithBare, judge } from './http/claims.mjs';
import { measure } from './http/measure.mjs';
import { httpReport, withHttp } from './http/report.mjs';
import { readOptions, tell } from './options.mjs';
import { setUp } from './setup.mjs';

const CHECKED = '24';
/** For linux x64. */
const BINARIES = ['test', 'compat', 'nodes'];

const options = readOptions({
  nodes: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '8' },
  turns: { type: 'string', default: '8' },
});
const size = { rounds: Number(options.rounds), turns: Number(options.turns) };

await setUp();
await installLocked(fromRoot(...BINARIES));
const nodes = [];
for (const major of options.nodes ? ['20', '22', CHECKED, '26'] : [CHECKED]) {
  const binary = binaryOf(major);
  if (!existsSync(binary)) throw new Error(`Node ${major} is missing: run this with it`);
  const { output } = await capture(binary, ['--version']);
  nodes.push({
    node: output.trim(),
    platforms: {
      express: comparedWithBare(await measure(binary, 'express', size)),
      fastify: comparedWithBare(await measure(binary, 'fastify', size)),
    },
  });
}
const machine = `${cpus().length} × ${cpus()[0].model} (${arch})`;
const checked = nodes.find(({ node }) => node.startsWith(`v${CHECKED}.`));
const checks = Object.entries(checked.platforms).flatMap(([platform, rows]) =>
  judge(platform, rows),
);
tell({ machine, nodes, checks }, options, {
  report: httpReport,
  withResults: withHttp,
  ok: checks.every(({ holds }) => holds),
});

function binaryOf(major) {
  if (versions.node.startsWith(`${major}.`)) return execPath;
  return fromRoot(...BINARIES, 'node_modules', `node${major}`, 'bin', 'node');
}
