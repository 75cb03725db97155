import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fromRoot } from '../../scripts/tools.mjs';
import { Client } from './client.mjs';
import { VARIANTS } from './claims.mjs';

const CONNECTIONS = 50;
const TURN_MS = 250;

/** After so many requests nothing is compiled any more. */
const WARM_UP = 60_000;
const LONGEST_WARM_UP_MS = 20_000;

/** Which share of the turns counts: what else the machine does only adds to the others. */
const BEST = 0.1;

/**
 * Measures each variant in several processes, one after the other, since the same code may be a tenth faster in one process
 * than in another. The servers of a time take turns.
 *
 * @param node the binary of the servers
 * @returns for each variant the server's CPU time per request, and requests per second, of the best turns
 */
export async function measure(node, platform, { processes, rounds }) {
  const turns = Object.fromEntries(VARIANTS.map((variant) => [variant, []]));
  for (let i = 0; i < processes; i++) {
    const servers = [];
    try {
      for (const variant of VARIANTS) servers.push(await start(node, platform, variant));
      for (const server of servers) await warmUp(server);
      for (let round = 0; round < rounds; round++) {
        // Back and forth, so that no variant always follows the same one.
        for (const server of round % 2 === 0 ? servers : servers.toReversed())
          turns[server.variant].push(await turn(server, TURN_MS));
      }
    } finally {
      for (const { child, client } of servers) {
        client.close();
        child.disconnect();
      }
    }
  }
  return VARIANTS.map((variant) => ({
    variant,
    cpuMicros: quantile(
      turns[variant].map(({ cpuMicros }) => cpuMicros),
      BEST,
    ),
    perSecond: quantile(
      turns[variant].map(({ perSecond }) => perSecond),
      1 - BEST,
    ),
  }));
}

async function start(node, platform, variant) {
  const child = fork(fromRoot('bench', 'http', 'server.mjs'), [platform, variant], {
    execPath: node,
  });
  child.once('exit', (code) => {
    if (code !== 0) throw new Error(`the server of ${platform}, ${variant} ended with ${code}`);
  });
  const [{ url }] = await once(child, 'message');
  return { variant, child, client: await Client.open(url, CONNECTIONS) };
}

async function warmUp(server) {
  const end = performance.now() + LONGEST_WARM_UP_MS;
  for (let count = 0; count < WARM_UP && performance.now() < end;)
    count += (await turn(server, TURN_MS)).count;
}

async function turn({ child, client }, ms) {
  const before = await cpuOf(child);
  const { count, seconds } = await client.load(ms);
  return { count, perSecond: count / seconds, cpuMicros: ((await cpuOf(child)) - before) / count };
}

async function cpuOf(child) {
  child.send('cpu');
  const [{ cpu }] = await once(child, 'message');
  return cpu;
}

function quantile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))];
}
