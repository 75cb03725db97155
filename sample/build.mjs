// Builds the library and the sample; run.mjs and the experiments in test/processes/sample call it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'dist', 'sample', '.library-built');

function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) {
    return stats.mtimeMs;
  }
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function libraryIsBuilt() {
  const outputs = ['dist/esm/index.js', 'dist/cjs/index.js'].map((file) => join(root, file));
  if (![...outputs, stamp].every((file) => existsSync(file))) {
    return false;
  }
  const sources = [
    'src',
    'scripts',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'tsconfig.cjs.json',
  ];
  return Math.max(...sources.map((name) => newest(join(root, name)))) < statSync(stamp).mtimeMs;
}

function run(task, command, args, options) {
  process.stderr.write(`${task} ...\n`);
  const stdio = ['ignore', 'pipe', 'pipe'];
  const result = spawnSync(command, args, { cwd: root, stdio, encoding: 'utf8', ...options });
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}${result.error ?? ''}\n${task} failed\n`);
    process.exit(1);
  }
}

/** Builds the library, if it has changed, and the sources of a tsconfig.json. */
export function build(tsconfig) {
  if (!libraryIsBuilt()) {
    const started = new Date();
    run('Building the library', 'npm', ['run', 'build'], { shell: process.platform === 'win32' });
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, '');
    // Edits made during the build are newer.
    utimesSync(stamp, started, started);
  }
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  run('Building the sample', process.execPath, [tsc, '-p', tsconfig]);
}
