// A thread beside the tests: a mutant may keep the event loop busy for good, and then no timeout of a test fires.
import { writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

let timer;

// Notes which mutant it was, and ends the process; Stryker starts another one.
parentPort.on('message', ({ ms, mark }) => {
  clearTimeout(timer);
  if (mark === undefined) return;
  timer = setTimeout(() => {
    writeFileSync(mark, '');
    process.kill(process.pid, 'SIGKILL');
  }, ms);
});
