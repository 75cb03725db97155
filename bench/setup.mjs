import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { captureNode, fromRoot, installLocked } from '../scripts/tools.mjs';

/** Makes sure of what the benchmark needs: the peers, and a build of the library as it is. */
export async function setUp() {
  await installLocked(fromRoot('bench'));
  if (isBuilt()) return;
  console.error('building the library ...');
  const { code, output } = await captureNode([fromRoot('scripts', 'build.mjs')]);
  if (code !== 0) throw new Error(`the library does not build:\n${output}`);
}

/** Whether the build is there, and younger than all sources. */
function isBuilt() {
  const built = fromRoot('dist', 'esm', 'index.js');
  if (!existsSync(built)) return false;
  const { mtimeMs } = statSync(built);
  return readdirSync(fromRoot('src'), { recursive: true }).every(
    (file) => statSync(join(fromRoot('src'), file)).mtimeMs <= mtimeMs,
  );
}
