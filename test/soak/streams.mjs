// Streams whose clients leave early, 10,000 of each kind: node test/soak/streams.mjs express 10000
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { conclude, line } from './measure.mjs';

const platform = process.argv[2] ?? 'express';
const DISCONNECTS = Number(process.argv[3] ?? 10_000);
const CLIENTS = 40;
const SAMPLES = 8;

const server = fork(fileURLToPath(new URL('streams-server.mjs', import.meta.url)), [platform], {
  execArgv: ['--expose-gc'],
});
let closing = false;
server.on('exit', (code, signal) => {
  if (!closing) throw new Error(`the server has ended: ${signal ?? `code ${code}`}`);
});
const [{ port }] = await once(server, 'message');
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

/** Those that a client of plain HTTP reads, and those of a WebSocket. */
const HTTP_KINDS = ['sse', 'generator', 'service', 'file'];
const KINDS = [...HTTP_KINDS, 'generated', 'iterated'];

/** Policies do not see these break: the answer is a success when it is there. */
const BREAKS_UNSEEN = ['iterated'];

/** The behaviour of each client: all but one in ten leave. */
const MANNERS = ['breaks', 'retried', 'early'];
const mannerOf = (i) => MANNERS[i % 10] ?? 'leaves';

/** The numbers in what a client has got must be 0, 1, 2 and so on. */
function check(kind, how, received) {
  const numbers = Array.from(received.matchAll(/#(\d+);/g), ([, n]) => Number(n));
  const right = numbers.every((n, at) => n === at);
  if (!right) problems.push(`${kind} ${how}: a client got ${numbers.join(' ')}`);
  if (numbers.length === 0 && !how.endsWith('early')) problems.push(`${kind} ${how}: nothing came`);
}

function askHttp(kind, how) {
  return new Promise((resolve) => {
    let received = '';
    const client = get({ host: '127.0.0.1', port, agent, path: `/${kind}?how=${how}` });
    client.on('response', (response) => {
      response.setEncoding('utf8').on('error', () => {});
      response.on('data', (chunk) => {
        received += chunk;
        if (!how.endsWith('breaks') && received.includes(';')) client.destroy();
      });
    });
    client.on('error', () => {});
    client.on('close', () => {
      check(kind, how, received);
      resolve();
    });
    if (how.endsWith('early')) setTimeout(() => client.destroy(), 1);
  });
}

async function subscribe(kind, how) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws');
  let received = '';
  const send = (message) => socket.send(JSON.stringify(message));
  const query = `subscription { ${kind}(how: "${how}") }`;
  socket.on('open', () => send({ type: 'connection_init' }));
  socket.on('error', () => {});
  socket.on('message', (message) => {
    const { type, payload } = JSON.parse(message.toString());
    if (type === 'connection_ack') {
      send({ id: '1', type: 'subscribe', payload: { query } });
      if (how.endsWith('early')) setTimeout(() => socket.terminate(), 2);
    } else if (type === 'next' && payload.data) {
      received += payload.data[kind];
      if (how.endsWith('breaks')) return;
      if (Number(how.split('-')[0]) % 2 === 0) send({ id: '1', type: 'complete' });
      socket.close();
    } else socket.close(); // an error, or the end
  });
  await once(socket, 'close');
  check(kind, how, received);
}

const problems = [];
const asked = Object.fromEntries(KINDS.map((kind) => [kind, { left: 0, failures: 0, i: 0 }]));

async function client(kind, until) {
  const count = asked[kind];
  while (count.left < until) {
    const how = mannerOf(count.i);
    const id = `${count.i++}-${how}`;
    if (how !== 'breaks') count.left += 1;
    if (how === 'retried' || (how === 'breaks' && !BREAKS_UNSEEN.includes(kind))) {
      count.failures += 1;
    }
    await (HTTP_KINDS.includes(kind) ? askHttp(kind, id) : subscribe(kind, id));
  }
}

const samples = [];
for (let round = 1; round <= SAMPLES; round++) {
  const until = Math.ceil((DISCONNECTS * round) / SAMPLES);
  for (const kind of KINDS) {
    await Promise.all(Array.from({ length: CLIENTS }, () => client(kind, until)));
  }
  server.send('measure');
  const [{ sample, left }] = await once(server, 'message');
  samples.push(sample);
  console.log(`${String(until).padStart(6)} disconnects of each kind: ${line(sample)}`);
  for (const each of left) inspect(each);
}

/** Everything that streams had has been given back, and what has failed is counted. */
function inspect({ kind, open, running, half, counts }) {
  const { requests, successes, failures, ignored } = counts;
  const expected = asked[kind].failures;
  if (open > 0) problems.push(`${kind}: ${open} streams are open`);
  if (running > 0) problems.push(`${kind}: ${running} places are taken`);
  if (half > 0) problems.push(`${kind}: ${half} first attempts without a second`);
  if (failures !== expected) problems.push(`${kind}: ${failures} failures, not ${expected}`);
  if (successes + ignored + expected < requests) {
    problems.push(`${kind}: a permit is out: ${JSON.stringify(counts)}`);
  }
}

agent.destroy();
closing = true;
server.send('close');
const [code] = await once(server, 'exit');
if (code !== 0) throw new Error(`the server ended with ${code}`);
if (problems.length > 0) throw new Error(problems.slice(0, 20).join('\n'));
conclude(`streams, ${platform}`, samples);
