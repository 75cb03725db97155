// Requests over loopback, a good share of whose clients go away: node test/soak/http.mjs express 50000
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { conclude, line } from './measure.mjs';

const platform = process.argv[2] ?? 'express';
const REQUESTS = Number(process.argv[3] ?? 50_000);
const CLIENTS = 40;
const SAMPLES = 8;

const server = fork(fileURLToPath(new URL('server.mjs', import.meta.url)), [platform], {
  execArgv: ['--expose-gc'],
});
let closing = false;
server.on('exit', (code, signal) => {
  if (!closing) throw new Error(`the server has ended: ${signal ?? `code ${code}`}`);
});
const [{ port }] = await once(server, 'message');
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
const body = JSON.stringify({
  items: Array.from({ length: 20 }, (_, i) => ({ i, text: 'z'.repeat(50) })),
});

const routes = [
  { method: 'GET', path: '/books' },
  { method: 'POST', path: '/books', headers: { 'content-type': 'application/json' }, body },
  { method: 'GET', path: '/books' },
  { method: 'GET', path: '/stream' },
];

/** How a client behaves: most wait for the answer. */
function manners(i) {
  if (i % 10 === 1) return 'leaves before the answer';
  if (i % 10 === 4) return 'leaves while the answer comes';
  if (i % 10 === 7) return 'leaves at once';
  return 'stays';
}

const counts = { answered: 0, left: 0, failed: 0 };

function ask(i) {
  const { body: sent, ...route } = routes[i % routes.length];
  const how = manners(i);
  return new Promise((resolve) => {
    const client = request({ host: '127.0.0.1', port, agent, ...route });
    client.on('response', (response) => {
      if (how === 'leaves while the answer comes') return client.destroy();
      response.resume();
      response.on('end', () => (counts.answered += 1));
      response.on('close', resolve);
    });
    client.on('error', () => (how === 'stays' ? (counts.failed += 1) : (counts.left += 1)));
    client.on('close', resolve);
    client.end(sent);
    if (how === 'leaves at once') setImmediate(() => client.destroy());
    if (how === 'leaves before the answer') setTimeout(() => client.destroy(), i % 4);
  });
}

let made = 0;
async function client(until) {
  while (made < until) await ask(made++);
}

const samples = [];
const sampleEvery = Math.ceil(REQUESTS / SAMPLES);
for (let until = sampleEvery; made < REQUESTS; until += sampleEvery) {
  await Promise.all(Array.from({ length: CLIENTS }, () => client(Math.min(until, REQUESTS))));
  server.send('measure');
  const [{ sample }] = await once(server, 'message');
  samples.push(sample);
  console.log(`${String(made).padStart(7)} requests: ${line(sample)}`);
}
console.log(`${platform}: ${JSON.stringify(counts)}`);
agent.destroy();
closing = true;
server.send('close');
const [code] = await once(server, 'exit');
if (code !== 0) throw new Error(`the server ended with ${code}`);
if (counts.failed > 0) throw new Error(`${counts.failed} requests failed of clients that stayed`);
conclude(platform, samples);
