// The page of ui/ -> admin/page/files.cjs in dist/esm and dist/cjs: its files as one module beside the code that serves them, so
// that bundlers find them too.
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { fromRoot } from './tools.mjs';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The page is loaded over slow lines, at night; in kB, gzipped. */
const LARGEST = 150;

await build({ configFile: fromRoot('ui', 'vite.config.mjs'), logLevel: 'warn' });

const folder = fromRoot('dist', 'page');
const files = {};
let size = 0;
for (const name of readdirSync(folder, { recursive: true }).sort()) {
  if (!statSync(join(folder, name)).isFile()) continue;
  const content = gzipSync(readFileSync(join(folder, name)), { level: 9 });
  size += content.length;
  files[name.replaceAll('\\', '/')] = {
    type: TYPES[extname(name)],
    gzip: content.toString('base64'),
  };
}
const text = `exports.files = ${JSON.stringify(files, undefined, 2)};\n`;
for (const format of ['esm', 'cjs']) {
  mkdirSync(fromRoot('dist', format, 'admin', 'page'), { recursive: true });
  writeFileSync(fromRoot('dist', format, 'admin', 'page', 'files.cjs'), text);
}
if (size > LARGEST * 1000) {
  console.error(`the page has ${Math.ceil(size / 1000)} kB, gzipped; at most ${LARGEST} kB`);
  process.exitCode = 1;
}
