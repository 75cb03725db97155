// npm run bench:http: the price of a request, by where the policies are.
//
//   node bench/http.mjs [--rounds 9] [--json] [--check]
//
// One server process per variant; this process sends the requests. The servers take turns of half a second, so whatever
// else the machine does affects all of them. Ratios are of neighbouring turns, and their median is what counts.
// --check exits with 1 if a claim does not hold.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { arch, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { fromRoot } from '../scripts/tools.mjs';
import { median } from './measure.mjs';
import { setUp } from './setup.mjs';

const CONNECTIONS = 50;
const TURN_MS = 500;
const WARM_UP_MS = 2_000;

const BARE = 'not imported';
const NOOP = 'an interceptor that does nothing';
const VARIANTS = [
  BARE,
  'imported',
  NOOP,
  'five policies on the handler',
  'five policies on a service',
  'a breaker on a service',
];

/** What `--check` holds: `at most` or `at least` so much. README.md says how they were chosen. */
const CLAIMS = [
  {
    claim: 'imported and undecorated, at least 0.99 of the requests per second',
    value: (of) => of('imported').toBare,
    least: 0.99,
  },
  {
    claim: 'five policies on the handler, at most 3 times what an idle interceptor adds in CPU',
    value: (of) => of('five policies on the handler').addedMicros / of(NOOP).addedMicros,
    most: 3,
  },
  {
    claim: 'five policies on a service, at most 2 µs of CPU more',
    value: (of) => of('five policies on a service').addedMicros,
    most: 2,
  },
  {
    claim: 'a breaker on a service, at most 1 µs of CPU more',
    value: (of) => of('a breaker on a service').addedMicros,
    most: 1,
  },
  {
    claim: 'five policies on a service, at least 0.96 of the requests per second',
    platform: 'express',
    value: (of) => of('five policies on a service').toBare,
    least: 0.96,
  },
];

const flag = { type: 'boolean', default: false };
const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, json: flag, check: flag },
});

await setUp();
const results = {
  node: process.version,
  machine: `${cpus().length} × ${cpus()[0].model} (${arch()})`,
  platforms: {
    express: await measure('express', Number(options.rounds)),
    fastify: await measure('fastify', Number(options.rounds)),
  },
};
const claims = judge(results.platforms);
console.log(
  options.json ? JSON.stringify({ ...results, claims }, null, 2) : report(results, claims),
);
if (options.check && claims.some(({ holds }) => !holds)) process.exitCode = 1;

/** @returns for each variant the requests per second and the server's CPU time per request, by round */
async function measure(platform, rounds) {
  const servers = await Promise.all(VARIANTS.map((variant) => start(platform, variant)));
  const turns = Object.fromEntries(VARIANTS.map((variant) => [variant, []]));
  try {
    for (const server of servers) await load(server, WARM_UP_MS);
    for (let round = 0; round < rounds; round++) {
      // Back and forth, so that no variant always follows the same one.
      for (const server of round % 2 === 0 ? servers : servers.toReversed())
        turns[server.variant].push(await load(server, TURN_MS));
    }
  } finally {
    for (const { child, pool } of servers) {
      await pool.destroy();
      child.disconnect();
    }
  }
  const bare = turns[BARE];
  return Object.entries(turns).map(([variant, each]) => ({
    variant,
    perSecond: median(each.map((turn) => turn.perSecond)),
    toBare: median(each.map((turn, round) => turn.perSecond / bare[round].perSecond)),
    cpuMicros: median(each.map((turn) => turn.cpuMicros)),
    addedMicros: median(each.map((turn, round) => turn.cpuMicros - bare[round].cpuMicros)),
  }));
}

async function start(platform, variant) {
  const child = fork(fromRoot('bench', 'http', 'server.mjs'), [platform, variant]);
  child.once('exit', (code) => {
    if (code !== 0) throw new Error(`the server of ${platform}, ${variant} ended with ${code}`);
  });
  const [{ url }] = await once(child, 'message');
  return { variant, child, pool: new Pool(url, { connections: CONNECTIONS }) };
}

/** Sends requests for so long, each connection one after the other. */
async function load({ child, pool }, ms) {
  const cpu = async () => {
    child.send('cpu');
    const [message] = await once(child, 'message');
    return message.cpu;
  };
  const before = await cpu();
  const startedAt = performance.now();
  let count = 0;
  const connection = async () => {
    while (performance.now() - startedAt < ms) {
      const { statusCode, body } = await pool.request({ path: '/', method: 'GET' });
      await body.dump();
      if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  const seconds = (performance.now() - startedAt) / 1_000;
  return { perSecond: count / seconds, cpuMicros: ((await cpu()) - before) / count };
}

function judge(platforms) {
  return Object.entries(platforms).flatMap(([platform, rows]) => {
    const of = (variant) => rows.find((row) => row.variant === variant);
    return CLAIMS.filter((each) => (each.platform ?? platform) === platform).map(
      ({ claim, value, least = -Infinity, most = Infinity }) => {
        const measured = value(of);
        const holds = measured >= least && measured <= most;
        return { claim: `${platform}: ${claim}`, value: measured, holds };
      },
    );
  });
}

function report({ node, machine, platforms }, claims) {
  const lines = [`Node ${node}, ${machine}`];
  for (const [platform, rows] of Object.entries(platforms)) {
    lines.push('', platform);
    for (const { variant, toBare, cpuMicros, addedMicros } of rows) {
      const added = `${addedMicros >= 0 ? '+' : ''}${addedMicros.toFixed(1)} µs`;
      lines.push(
        `  ${toBare.toFixed(2)} of the requests  ${cpuMicros.toFixed(1).padStart(6)} µs of CPU (${added})  ${variant}`,
      );
    }
  }
  lines.push(
    '',
    ...claims.map(
      ({ claim, holds, value }) => `${holds ? 'ok  ' : 'FAIL'} ${value.toFixed(3)}  ${claim}`,
    ),
  );
  return lines.join('\n');
}
