// node test/processes/suspended.mjs [--quick]: a process that was suspended opens no breaker. Needs a build.
//
// A client calls a healthy dependency under load, is stopped for longer than `maxCallDuration`, and resumes.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const quick = process.argv.includes('--quick');
const [stopFor, maxCallDuration] = quick ? [1_500, 500] : [5_000, 2_000];

const server = createServer((request, response) => {
  setTimeout(() => response.end('[]'), 5 + Math.random() * 20);
}).listen(0, '127.0.0.1');
server.keepAliveTimeout = 60_000; // idle connections are not the point here
await once(server, 'listening');

const url = `http://127.0.0.1:${server.address().port}/`;
const child = fork(new URL('suspended-client.mjs', import.meta.url), [
  url,
  String(maxCallDuration),
]);
let failed;
try {
  await once(child, 'message'); // it is under load
  for (let round = 0; round < (quick ? 3 : 2); round++) {
    await sleep(300 + Math.random() * 200);
    child.kill('SIGSTOP');
    await sleep(stopFor);
    child.kill('SIGCONT');
  }
  await sleep(1_000);
  child.send('report');
  const [report] = await once(child, 'message');
  failed = report.changes.length > 0 || report.failures > 0 || report.calls < 100;
  console.log(`stopped for ${stopFor} ms with maxCallDuration ${maxCallDuration} ms:`, report);
  console.log(failed ? 'FAILED' : 'no breaker has opened');
} finally {
  child.kill('SIGCONT');
  child.kill();
  server.closeAllConnections();
  server.close();
}
process.exitCode = failed ? 1 : 0;
