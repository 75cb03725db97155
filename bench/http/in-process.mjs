// The way of a request through Nest without HTTP:
//
//   node in-process.mjs <variant> [--platform express|fastify] [--cold] [--samples 20000]
//
// Calls the function that Nest has registered for the route, with a response that sends nothing, so that little is measured
// besides Nest's own path and the library's. Prints microseconds per request.
//
// Without --cold ten requests at a time, as fast as possible: the CPU time of the cheapest batch, which other work on the
// machine disturbs least. With --cold one at a time, and before each of them a few system calls, and more memory read than the
// processor's nearer caches hold: what a server under load does between two requests. The lower tenth of their times.
import { EventEmitter } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { create } from './app.mjs';

/** Requests that arrive in one turn of the event loop. */
const TOGETHER = 10;
const WARM_UP = 40_000;
const BATCH = 5_000;

/** Between two cold requests. */
const SYSTEM_CALLS = 3;
const MEMORY = 2 * 1024 * 1024;
const CACHE_LINE = 64;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    platform: { type: 'string', default: 'express' },
    cold: { type: 'boolean', default: false },
    samples: { type: 'string', default: '' },
  },
});
const [variant] = positionals;
const samples = Number(values.samples || (values.cold ? 20_000 : 200_000));

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

/** Fastify's, around Node's. */
class Reply {
  sent = false;
  statusCode = 200;

  constructor(onSent) {
    this.raw = new Response(onSent);
  }

  status() {
    return this;
  }

  code() {
    return this;
  }

  getHeader() {}

  send(body) {
    this.sent = true;
    this.raw.json(body);
  }
}

async function requester() {
  const app = await create(values.platform, variant);
  const server = app.getHttpAdapter().getInstance();
  if (values.platform === 'express') {
    await app.init();
    const { handle } = server.router.stack.find(({ route }) => route?.path === '/').route.stack[0];
    return () =>
      new Promise((resolve, reject) => handle({ method: 'GET' }, new Response(resolve), reject));
  }
  let handle;
  server.addHook('onRoute', (route) => {
    if (route.url === '/' && route.method === 'GET') handle = route.handler;
  });
  await app.init();
  const fastifyRequest = {
    method: 'GET',
    raw: { method: 'GET' },
    headers: {},
    params: {},
    query: {},
  };
  return () => new Promise((resolve) => handle(fastifyRequest, new Reply(resolve)));
}

const request = await requester();

async function batch(size) {
  for (let i = 0; i < size; i += TOGETHER) {
    await Promise.all(Array.from({ length: TOGETHER }, request));
    await setImmediate();
  }
}

async function hot() {
  let least = Infinity;
  for (let count = 0; count < samples; count += BATCH) {
    const before = process.cpuUsage();
    await batch(BATCH);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / BATCH);
  }
  return least;
}

async function cold() {
  const folder = mkdtempSync(join(tmpdir(), 'nest-resilience-bench-'));
  const file = openSync(join(folder, 'written'), 'w');
  const text = Buffer.alloc(200);
  const memory = new Uint8Array(MEMORY);
  const times = new Float64Array(samples);
  let sum = 0;
  try {
    for (let i = 0; i < samples; i++) {
      if (i % TOGETHER === 0) await setImmediate();
      for (let at = 0; at < MEMORY; at += CACHE_LINE) sum += memory[at];
      for (let call = 0; call < SYSTEM_CALLS; call++) writeSync(file, text, 0, text.length, 0);
      const begun = process.hrtime.bigint();
      await request();
      times[i] = Number(process.hrtime.bigint() - begun) / 1_000;
    }
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
  if (sum !== 0) throw new Error('the memory has been written to');
  return times.sort()[Math.floor(samples / 10)];
}

await batch(WARM_UP);
console.log((await (values.cold ? cold() : hot())).toFixed(3));
process.exit();
