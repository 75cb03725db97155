// The way of a request through Nest without HTTP: node in-process.mjs <variant> [requests per batch] [batches]
//
// Calls the function that Nest has registered with Express for the route, with a response that sends nothing, so that
// little is measured besides Nest's own path and the library's. Prints the CPU time of the cheapest batch, which other work
// on the machine disturbs least, in microseconds per request.
import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { create } from './app.mjs';

/** Requests that arrive in one turn of the event loop. */
const TOGETHER = 10;

const [variant, perBatch = '5000', batches = '40'] = process.argv.slice(2);

class Response extends EventEmitter {
  destroyed = false;
  headersSent = false;
  writableFinished = false;

  constructor(onSent) {
    super();
    this.onSent = onSent;
  }

  status() {
    return this;
  }

  getHeader() {}

  json(body) {
    if (body.hello !== 'world') throw new Error(`answered ${JSON.stringify(body)}`);
    this.headersSent = this.writableFinished = true;
    this.emit('close');
    this.onSent();
  }
}

const app = await create('express', variant);
await app.init();
const { stack } = app.getHttpAdapter().getInstance().router;
const { handle } = stack.find(({ route }) => route?.path === '/').route.stack[0];

const request = () =>
  new Promise((resolve, reject) => handle({ method: 'GET' }, new Response(resolve), reject));

let least = Infinity;
for (let batch = 0; batch < Number(batches); batch++) {
  const before = process.cpuUsage();
  for (let i = 0; i < Number(perBatch); i += TOGETHER) {
    await Promise.all(Array.from({ length: TOGETHER }, request));
    await setImmediate();
  }
  const { user, system } = process.cpuUsage(before);
  least = Math.min(least, (user + system) / Number(perBatch));
}
console.log(least.toFixed(3));
process.exit();
