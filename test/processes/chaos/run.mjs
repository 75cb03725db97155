// npm run chaos [-- --minutes 10] [-- --seed 7]: instances that share a Redis in trouble, see chaos.ts.
import { build } from '../../../sample/build.mjs';

build('test/processes/chaos/tsconfig.json');
await import('../../../dist/test/processes/chaos/chaos.js');
