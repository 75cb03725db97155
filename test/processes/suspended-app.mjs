// Suspends an application for a while under load: node test/processes/suspended-app.mjs [milliseconds]. Needs a build.
//
// Its dependency answers in time, so no circuit may open and no call may time out: the process was late, not the
// dependency. Exits 0 when that holds.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SUSPENDED = Number(process.argv[2] ?? 5_000);
const settings = { timeout: SUSPENDED * 0.4, maxCallDuration: SUSPENDED * 0.6, clients: 30 };

const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const dependency = fork(script('dependency.mjs'), ['20']);
const [{ port }] = await once(dependency, 'message');
const app = fork(script('app-under-load.mjs'), [JSON.stringify({ ...settings, port })]);
await once(app, 'message');

for (let times = 0; times < 2; times++) {
  await pause(300);
  app.kill('SIGSTOP');
  await pause(SUSPENDED);
  app.kill('SIGCONT');
}
await pause(500);
app.send('end');
const [{ answered, failed, unsent, changes, state }] = await once(app, 'message');
dependency.disconnect();

console.log(
  `${answered} answered, ${failed.length} failed (${unsent} unsent), state ${state}, changes: ${changes.join('; ') || 'none'}`,
);
for (const message of new Set(failed)) console.log(`  ${message}`);
if (answered < 100 || failed.length > 0 || changes.length > 0 || state !== 'closed')
  process.exitCode = 1;
