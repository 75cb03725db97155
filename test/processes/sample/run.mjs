// An experiment with the processes of the sample: `node test/processes/sample/run.mjs outage|slow|page|redis|fleet|alerts [--json]`.
import { build } from '../../../sample/build.mjs';

const [experiment] = process.argv.splice(2, 1);
build('test/processes/sample/tsconfig.json');
await import(`../../../dist/test/processes/sample/${experiment}.js`);
