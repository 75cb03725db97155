// npm run test:nodes: the whole suite under the other supported Node majors.
//
//   node scripts/test-nodes.mjs [majors, default 22 24 26] [-- jest arguments]
//
// The binaries come from npm packages (test/compat/nodes), which exist for linux x64. Elsewhere it prints
// a notice and skips, but fails under CI=true, where a skipped check would look like a passed one.
import { fromRoot, installLocked, run } from './tools.mjs';

const args = process.argv.slice(2);
const dashes = args.includes('--') ? args.indexOf('--') : args.length;
const majors = args.slice(0, dashes).length > 0 ? args.slice(0, dashes) : ['22', '24', '26'];
const jestArgs = args.slice(dashes + 1);

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.log('test:nodes skipped: the Node binaries are for linux x64 only');
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
const folder = fromRoot('test', 'compat', 'nodes');
await installLocked(folder);

for (const major of majors) {
  const node = fromRoot('test', 'compat', 'nodes', 'node_modules', `node${major}`, 'bin', 'node');
  console.log(`\n== Node ${major} ==`);
  run(node, ['--version']);
  const code = run(node, [fromRoot('node_modules', 'jest', 'bin', 'jest.js'), ...jestArgs]);
  if (code !== 0) process.exitCode = code;
}
