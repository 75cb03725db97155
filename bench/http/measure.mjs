import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fromRoot } from '../../scripts/tools.mjs';
import { Client } from './client.mjs';
import { VARIANTS } from './claims.mjs';

const CONNECTIONS = 50;
const TURN_MS = 150;

/** After this many requests hardly anything is left to compile. */
const WARM_UP = 40_000;
const LONGEST_WARM_UP_MS = 10_000;

/** The share of the turns that counts: other work on the machine only makes the others slower. */
const BEST = 0.05;

/**
 * Measures each variant in many processes, since the same code may be a tenth faster in one process than in another. A round
 * starts a process per variant; their servers take turns.
 *
 * @param node the binary of the servers
 * @returns for each variant the server's CPU time per request, and requests per second, of the best turns of all rounds
 */
export async function measure(node, platform, { rounds, turns }) {
  const measured = [];
  for (let round = 0; round < rounds; round++) {
    // Back and forth, so that no variant always follows the same one.
    const order = round % 2 === 0 ? VARIANTS : VARIANTS.toReversed();
    measured.push(...(await measureRound(node, platform, order, turns)));
  }
  return VARIANTS.map((variant) => {
    const own = measured.filter((each) => each.variant === variant);
    return {
      variant,
      cpuMicros: quantile(
        own.map(({ cpuMicros }) => cpuMicros),
        BEST,
      ),
      perSecond: quantile(
        own.map(({ perSecond }) => perSecond),
        1 - BEST,
      ),
    };
  });
}

/** @returns its turns */
async function measureRound(node, platform, variants, turns) {
  const servers = [];
  const measured = [];
  try {
    for (const variant of variants) servers.push(await start(node, platform, variant));
    for (const server of servers) await warmUp(server);
    for (let i = 0; i < turns; i++) {
      for (const server of i % 2 === 0 ? servers : servers.toReversed())
        measured.push(await turn(server, TURN_MS));
    }
    return measured;
  } finally {
    for (const { child, client } of servers) {
      client.close();
      child.disconnect();
    }
  }
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

async function turn({ variant, child, client }, ms) {
  const before = await cpuOf(child);
  const { count, seconds } = await client.load(ms);
  const cpuMicros = ((await cpuOf(child)) - before) / count;
  return { variant, count, perSecond: count / seconds, cpuMicros };
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
