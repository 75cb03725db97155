import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

const HOST = '127.0.0.1';

/** Starts a redis-server of our own. @returns `undefined` when PATH has none, which is an error on CI */
export async function startRedis() {
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0) {
    const missing = 'there is no redis-server in PATH';
    if (process.env.CI !== undefined) throw new Error(missing);
    console.error(`skipped measurements with Redis: ${missing}`);
    return undefined;
  }
  const port = await freePort();
  const options = { port, bind: HOST, save: '', appendonly: 'no' };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  const client = new Redis({ host: HOST, port, retryStrategy: () => 20 });
  client.on('error', () => {}); // until the server listens
  await client.ping();
  return {
    url: `redis://${HOST}:${port}`,
    /** Another client of the same server. */
    connect: () => new Redis({ host: HOST, port }),
    /** Runs `work`. @returns how many commands the server has run meanwhile, by name; including those in scripts */
    async commandsOf(work) {
      await client.config('RESETSTAT');
      await work();
      return commandsIn(await client.info('commandstats'));
    },
    /** Waits until this many clients listen to messages. */
    async listenedToBy(clients) {
      while (listeners(await client.client('LIST', 'TYPE', 'pubsub')) < clients) await sleep(5);
    },
    async stop() {
      client.disconnect();
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    },
  };
}

/** By name, without those that we ask with. */
function commandsIn(info) {
  const lines = info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return Object.fromEntries(
    Array.from(lines, ([, name, calls]) => [name, Number(calls)]).filter(
      ([name]) => name !== 'info' && !name.startsWith('config'),
    ),
  );
}

function listeners(list) {
  return list.split('\n').filter((line) => line.includes(' sub=') && !line.includes(' sub=0 '))
    .length;
}

async function freePort() {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
