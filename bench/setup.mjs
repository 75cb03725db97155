import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { captureNode, fromRoot, installLocked } from '../scripts/tools.mjs';

/** Provides what the benchmark needs: the peers, and an up-to-date build of the library. */
export async function setUp() {
  await installLocked(fromRoot('bench'));
  if (isBuilt()) return;
  console.error('building the library ...');
  const { code, output } = await captureNode([fromRoot('scripts', 'build.mjs')]);
  if (code !== 0) throw new Error(`the library does not build:\n${output}`);
}

/** Whether the build exists and is newer than all sources. */
function isBuilt() {
  const built = fromRoot('dist', 'esm', 'index.js');
  if (!existsSync(built)) return false;
  const { mtimeMs } = statSync(built);
  return readdirSync(fromRoot('src'), { recursive: true }).every(
    (file) => statSync(join(fromRoot('src'), file)).mtimeMs <= mtimeMs,
  );
}
