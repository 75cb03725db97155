// npm run bench:former -- <commit>: compares the cost of calls with that of an earlier commit, in one run.
//
//   node bench/former.mjs <commit> [--pairs 7] [--check]
//
// Builds that commit under bench/.former. Each build has a process of its own, and they take turns, so that whatever
// else the machine does affects both. The same code may be a tenth faster in one process than in another, depending on its
// place in memory, so there are several pairs of processes. --check exits with 1 if a call has slowed down by more than the
// noise of such a run; because of that noise it measures up to five times before it fails.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fromRoot } from '../scripts/tools.mjs';
import { measure, median } from './measure.mjs';
import { setUp } from './setup.mjs';

/** A build and a copy of itself differ by a third of this; builds that differ only in their place in memory, by this much. */
const NOISE = 0.05;

const MEASUREMENTS = 5;

/** Per turn of a process. */
const ROUNDS_PER_TURN = 20;

/** Per process. */
const TURNS = 8;

if (process.send === undefined) await compareAll();
else await serve(process.argv[2]);

async function compareAll() {
  const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      pairs: { type: 'string', default: '7' },
      check: { type: 'boolean', default: false },
    },
  });
  const [commit] = positionals;
  if (commit === undefined)
    throw new Error('usage: node bench/former.mjs <commit> [--pairs 7] [--check]');

  await setUp();
  const folders = [build('now', archiveOfTree()), build(shaOf(commit), archiveOf(commit))];
  let dearer;
  for (let left = options.check ? MEASUREMENTS : 1; left > 0; left--) {
    const found = await compare(commit, folders, Number(options.pairs));
    dearer = dearer === undefined ? found : dearer.filter((id) => found.includes(id));
    if (dearer.length === 0) return;
  }
  console.log(`slower than at ${commit}: ${dearer.join(', ')}`);
  if (options.check) process.exitCode = 1;
}

/** @returns the calls that have become slower */
async function compare(commit, folders, pairs) {
  const times = folders.map(() => ({}));
  for (let pair = 0; pair < pairs; pair++) {
    for (const [index, measured] of (await measurePair(folders)).entries()) {
      for (const [id, each] of Object.entries(measured))
        (times[index][id] ??= []).push(median(each));
    }
  }
  const [now, before] = times;
  const ratios = Object.keys(now)
    .filter((id) => id in before)
    .map((id) => [id, median(now[id]) / median(before[id])]);
  console.log(`a call, as a share of what it takes at ${commit}:`);
  for (const [id, ratio] of ratios) console.log(`  ${ratio.toFixed(2)}  ${id}`);
  return ratios.filter(([, ratio]) => ratio > 1 + NOISE).map(([id]) => id);
}

/** A process of each build, in turns. @returns the times of each by the id of the call */
async function measurePair(folders) {
  const processes = folders.map((folder) =>
    fork(fromRoot('bench', 'former.mjs'), [`${folder}/bench/contestants/nest-resilience.mjs`]),
  );
  const times = folders.map(() => ({}));
  try {
    for (let turn = 0; turn < TURNS; turn++) {
      const order = [...processes.entries()];
      if (turn % 2 === 1) order.reverse();
      for (const [index, each] of order) {
        const measured = await measureIn(each);
        for (const [id, ns] of Object.entries(measured)) (times[index][id] ??= []).push(ns);
      }
    }
    return times;
  } finally {
    for (const each of processes) if (each.connected) each.disconnect();
  }
}

/** One turn of a process. */
async function measureIn(child) {
  child.send('measure');
  const ended = once(child, 'exit').then(() => {
    throw new Error('a process of the benchmark has ended before its time');
  });
  const [measured] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {}); // the process is ended on purpose later
  return measured;
}

/** Measures one build on request: the median of each call. */
async function serve(file) {
  const { start } = await import(`file://${file}`);
  const { calls, stop } = await start();
  const all = {};
  for (const [job, contestants] of Object.entries(calls)) {
    for (const [name, call] of Object.entries(contestants)) {
      all[`${job}: ${name}`] = { call, rejects: job === 'rejected' };
    }
  }
  process.on('message', async () => {
    const times = await measure(all, ROUNDS_PER_TURN);
    process.send(Object.fromEntries(Object.entries(times).map(([id, each]) => [id, median(each)])));
  });
  await once(process, 'disconnect');
  await stop();
  process.exit();
}

/** Builds an archive of this repository, so that both builds are in similar places. Dependencies are found further up. */
function build(name, archive) {
  const target = fromRoot('bench', '.former', name);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-x'], { cwd: target, input: archive });
  const tsc = fromRoot('node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: target,
    stdio: 'inherit',
  });
  return target;
}

function git(...args) {
  return execFileSync('git', args, { cwd: fromRoot(), maxBuffer: 1 << 28 });
}

function shaOf(ref) {
  return String(git('rev-parse', '--short', ref)).trim();
}

function archiveOf(ref) {
  return git('archive', ref);
}

/** The working tree, committed or not. */
function archiveOfTree() {
  const files = git('ls-files', '-z', '--cached', '--others', '--exclude-standard');
  return execFileSync('tar', ['-c', '--null', '-T', '-', '--ignore-failed-read'], {
    cwd: fromRoot(),
    input: files,
    maxBuffer: 1 << 28,
  });
}
