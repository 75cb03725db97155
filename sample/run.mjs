// Builds the sample, starts it, or controls a running one: `node sample/run.mjs sample|build|control [arguments]`.
import { build } from './build.mjs';

const [command] = process.argv.splice(2, 1);
if (command !== 'control') {
  build('sample/tsconfig.json');
}
if (command !== 'build') {
  await import(`../dist/sample/launcher/src/${command}.js`);
}
