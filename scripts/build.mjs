// npm run build: src -> dist/esm and dist/cjs, each with its own .d.ts, with the page of ui/.
// Leaves the rest of dist (dist/sample) alone.
import { rmSync, writeFileSync } from 'node:fs';
import { captureNode, fromRoot } from './tools.mjs';

const tsc = fromRoot('node_modules', 'typescript', 'bin', 'tsc');

for (const format of ['esm', 'cjs']) {
  rmSync(fromRoot('dist', format), { recursive: true, force: true });
}
const results = await Promise.all([
  captureNode([tsc, '-p', 'tsconfig.build.json']),
  captureNode([tsc, '-p', 'tsconfig.cjs.json']),
  captureNode([fromRoot('scripts', 'build-page.mjs')]),
]);
for (const { code, output } of results) {
  if (code !== 0) {
    process.stdout.write(output);
    process.exitCode = 1;
  }
}
if (!process.exitCode) {
  // The root package.json says "type": "module", so the CommonJS build needs its own package.json.
  writeFileSync(fromRoot('dist', 'cjs', 'package.json'), '{ "type": "commonjs" }\n');
}
