// npm run bench:admin: what the management API costs the server: 500 breakers, 2,000 events a second, 20 clients of the stream;
// and how long 20,000 breakers by key block the event loop.
//
//   node --expose-gc bench/admin.mjs [--check] [--short]
//
// --short takes less than a minute: three short measurements, of which the best counts, so that a busy machine does not matter. It
// leaves out the client that does not read, for which the kernel takes a minute: src/admin/stream/live-stream.spec.ts covers it.
// --check exits with 1 unless the stream takes less than a tenth of a core (processor time beyond that of the same calls without
// the module), the heap stays flat, a client that does not read is dropped, and no turn takes longer than 10 ms.
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { setUp } from './setup.mjs';

const BREAKERS = 500;
const CALLS = 2_000;
const CLIENTS = 20;
const KEYS = 20_000;
const short = process.argv.includes('--short');
const SECONDS = short ? 4 : 12;
const MEASUREMENTS = short ? 3 : 1;
const check = process.argv.includes('--check');
if (globalThis.gc === undefined) throw new Error('bench/admin.mjs needs node --expose-gc');

await setUp();
const { ResilienceModule, ResilienceService } = await import('../dist/esm/index.js');
const { ResilienceAdminModule } = await import('../dist/esm/admin/index.js');

async function start(...imports) {
  class Application {}
  Module({ imports: [ResilienceModule.forRoot({ logger: false }), ...imports] })(Application);
  const app = await NestFactory.create(Application, { logger: false });
  await app.listen(0, '127.0.0.1');
  return app;
}

const SCHEDULE = `/proc/self/task/${process.pid}/schedstat`;

/** Processor time of the main thread, milliseconds. */
function cpuMs() {
  if (!existsSync(SCHEDULE)) return process.cpuUsage().user / 1_000;
  return Number(readFileSync(SCHEDULE, 'latin1').split(' ', 1)[0]) / 1e6;
}

/** Calls 500 commands with breakers, 2,000 times a second; one in twenty fails. */
function load(app) {
  const service = app.get(ResilienceService);
  const commands = Array.from({ length: BREAKERS }, (_, at) =>
    service.command(`service ${at}`, {
      run: async (_, fails) => {
        if (fails) throw new Error('no');
      },
      circuitBreaker: { failureRate: 0.5 },
    }),
  );
  let calls = 0;
  const timer = setInterval(() => {
    for (let call = 0; call < CALLS / 50; call++) {
      calls += 1;
      commands[calls % BREAKERS].execute(calls % 20 === 0).catch(() => {});
    }
  }, 20);
  return () => {
    clearInterval(timer);
    return calls;
  };
}

function readers(url) {
  const child = fork(new URL('admin/reader.mjs', import.meta.url), [url, CLIENTS], {
    execArgv: [],
  });
  let state = { bytes: 0, deltas: 0 };
  child.on('message', (message) => (state = message));
  return {
    get state() {
      return state;
    },
    pause: () => child.send('pause'),
    end: () => child.kill(),
  };
}

async function share(work) {
  const [cpu, wall] = [cpuMs(), performance.now()];
  await work();
  return (cpuMs() - cpu) / (performance.now() - wall);
}

async function calls() {
  const app = await start();
  const stop = load(app);
  await sleep(2_000);
  const result = await share(() => sleep(SECONDS * 1_000));
  stop();
  await app.close();
  return result;
}

async function streamed() {
  const app = await start(ResilienceAdminModule.forRoot());
  const stop = load(app);
  const clients = readers(`${await app.getUrl()}/resilience/stream`);
  await sleep(4_000);
  globalThis.gc();
  const heap = process.memoryUsage().heapUsed;
  const before = clients.state;
  const took = await share(() => sleep(SECONDS * 1_000));
  globalThis.gc();
  const grownMb = (process.memoryUsage().heapUsed - heap) / 1e6;
  const mbPerSecond = (clients.state.bytes - before.bytes) / 1e6 / SECONDS;
  const deltas = (clients.state.deltas - before.deltas) / SECONDS;
  const dropped = short ? undefined : await drops(app, clients);
  clients.end();
  stop();
  await app.close();
  return { took, grownMb, mbPerSecond, deltas, dropped };
}

/** Whether the server drops a client that does not read. */
async function drops(app, clients) {
  clients.pause();
  // The kernel buffers some megabytes for it before anything waits here.
  const connections = () =>
    new Promise((resolve) => app.getHttpServer().getConnections((_, count) => resolve(count)));
  for (let left = 180; left > 0 && (await connections()) === CLIENTS; left--) await sleep(500);
  return (await connections()) === CLIENTS - 1;
}

/** The longest turn of the event loop while each route is called, with 20,000 breakers by key; milliseconds of CPU time. */
async function longestTurn() {
  const app = await start(ResilienceAdminModule.forRoot());
  const tenant = app.get(ResilienceService).command('tenant', {
    run: async () => 'ok',
    circuitBreaker: { key: (key) => key, maxKeys: KEYS },
  });
  for (let key = 0; key < KEYS; key++) await tenant.execute(`key-${key}`);
  const url = `${await app.getUrl()}/resilience`;
  const clients = readers(`${url}/stream`);
  const paths = [
    '',
    '/breakers',
    '/breakers?offset=10000&limit=200',
    '/breakers?search=9',
    '/events',
  ];
  let best = Infinity; // the first rounds warm up
  for (let round = 0; round < 4; round++) {
    let longest = 0;
    let asking = true;
    const turns = (async () => {
      while (asking) {
        const [wall, cpu] = [performance.now(), cpuMs()];
        await new Promise((resolve) => setImmediate(resolve));
        longest = Math.max(longest, Math.min(performance.now() - wall, cpuMs() - cpu));
      }
    })();
    for (const path of paths) await (await fetch(url + path)).text();
    await sleep(1_000);
    asking = false;
    await turns;
    best = short ? Math.min(best, longest) : longest;
  }
  clients.end();
  await app.close();
  return best;
}

const without = [];
const withClients = [];
for (let measurement = 0; measurement < MEASUREMENTS; measurement++) {
  without.push(await calls());
  withClients.push(await streamed());
}
const least = (of) => Math.min(...withClients.map(of));
const bare = Math.min(...without);
const took = least((measured) => measured.took);
const grownMb = least((measured) => measured.grownMb);
const deltas = least((measured) => measured.deltas);
const [{ mbPerSecond, dropped }] = withClients;
const longest = await longestTurn();
const percent = (value) => `${(value * 100).toFixed(1)} %`;
console.log(
  `${BREAKERS} breakers, ${CALLS} calls a second: ${percent(bare)} of a core without the module`,
);
console.log(`the module and ${CLIENTS} clients: ${percent(took - bare)} more`);
console.log(
  `${deltas.toFixed(1)} deltas a second; ${mbPerSecond.toFixed(1)} MB a second to all clients`,
);
console.log(`heap grown by ${grownMb.toFixed(1)} MB in ${SECONDS} s`);
if (!short) console.log(`a client that does not read was ${dropped ? '' : 'not '}dropped`);
console.log(`${KEYS} breakers by key: longest turn ${longest.toFixed(1)} ms`);
if (check) {
  const held =
    took - bare < 0.1 && grownMb < 20 && deltas <= 2.2 && dropped !== false && longest <= 10;
  if (!held) process.exitCode = 1;
}
